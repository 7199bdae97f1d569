using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace topic delete NAME…</c></summary>
[Example("millrace topic delete orders", "With its records; there is no way back")]
internal sealed class TopicDeleteCommand : DeleteCommand
{
    public TopicDeleteCommand()
        : base("Topic", "Delete topics", "The topics to delete, with all their records") => Names.CompletionSources.AddTopics(Client);

    protected override Task DeleteAsync(IAdminClient admin, IList<string> names, TimeSpan timeout) =>
        admin.DeleteTopicsAsync(names, new DeleteTopicsOptions { RequestTimeout = timeout });
}
