using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Millrace.Server.Commands;

/// <summary><c>millrace group delete NAME…</c></summary>
internal sealed class GroupDeleteCommand() : DeleteCommand("Group", "Delete consumer groups that have no members", "The groups to delete, with their committed offsets")
{
    protected override Task DeleteAsync(IAdminClient admin, IList<string> names, TimeSpan timeout) =>
        admin.DeleteGroupsAsync(names, new DeleteGroupsOptions { RequestTimeout = timeout });
}
