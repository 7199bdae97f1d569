using System.CommandLine;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;

namespace Millrace.Server.Commands;

/// <summary><c>millrace group delete NAME…</c></summary>
internal sealed class GroupDeleteCommand : ClientCommand
{
    private readonly Argument<string[]> _names = new("name") { Description = "The groups to delete, with their committed offsets", Arity = ArgumentArity.OneOrMore };

    public GroupDeleteCommand()
        : base("delete", "Delete consumer groups that have no members") => Arguments.Add(_names);

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var names = result.GetValue(_names)!;
        await admin.DeleteGroupsAsync(names, new DeleteGroupsOptions { RequestTimeout = Client.Timeout(result) });
        var report = new Report("Group", "Deleted");
        foreach (var name in names)
        {
            report.Add(name, true);
        }

        report.Write(Client.Json(result));
        return ExitCode.Success;
    }
}
