using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Completion;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace group delete NAME…</c></summary>
[Example("millrace group delete billing", "With its committed offsets")]
internal sealed class GroupDeleteCommand : DeleteCommand
{
    public GroupDeleteCommand()
        : base("Group", "Delete consumer groups that have no members", "The groups to delete, with their committed offsets") =>
        Names.CompletionSources.AddGroups(Client);

    protected override Task DeleteAsync(IAdminClient admin, IList<string> names, TimeSpan timeout) =>
        GroupCalls.RepeatAsync(timeout, async () =>
        {
            await admin.DeleteGroupsAsync(names, new DeleteGroupsOptions { RequestTimeout = timeout });
            return true;
        });
}
