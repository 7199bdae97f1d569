using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic delete NAME…</c></summary>
internal sealed class TopicDeleteCommand() : DeleteCommand("Topic", "Delete topics", "The topics to delete, with all their records")
{
    protected override Task DeleteAsync(IAdminClient admin, IList<string> names, TimeSpan timeout) =>
        admin.DeleteTopicsAsync(names, new DeleteTopicsOptions { RequestTimeout = timeout });
}
