using System.CommandLine;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace broker list</c></summary>
[Example("millrace broker list", "Which there are, where they are, and how many partitions each leads")]
[Example("millrace broker list --json", "The same for scripts, an object a line")]
internal sealed class BrokerListCommand() : ClientCommand("list", "List brokers, those that are away too")
{
    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var cluster = await ClusterView.AskAsync(admin, Client, result, token);
        var metadata = admin.GetMetadata(Client.Timeout(result));
        var report = new Report("Node", "Name", "State", "Host", "Port", "Rack", "Controller", "Duty", "Leads");
        foreach (var broker in cluster.Brokers)
        {
            report.Add(
                broker.Id, broker.Name, broker.State, broker.Host, broker.Port, broker.Rack, broker.Id == cluster.Controller,
                broker.DutyInWords,
                metadata.Topics.Sum(topic => topic.Partitions.Count(partition => partition.Leader == broker.Id)));
        }

        report.Write(Client.Json(result));
        return ExitCode.Success;
    }
}
