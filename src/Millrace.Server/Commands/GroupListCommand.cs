using System.CommandLine;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace group list</c></summary>
[Example("millrace group list --json", "An object a group")]
internal sealed class GroupListCommand() : ClientCommand("list", "List consumer groups")
{
    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        // Listing asks every broker there is; where none answers, librdkafka 2 brings the process down with what it returns.
        await admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = Client.Timeout(result) });
        var groups = await admin.ListConsumerGroupsAsync(new ListConsumerGroupsOptions { RequestTimeout = Client.Timeout(result) });
        var report = new Report("Group", "State", "Simple");
        foreach (var group in groups.Valid.OrderBy(group => group.GroupId, StringComparer.Ordinal))
        {
            report.Add(group.GroupId, group.State.ToString(), group.IsSimpleConsumerGroup);
        }

        report.Write(Client.Json(result));
        return ExitCode.Success;
    }
}
