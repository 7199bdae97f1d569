using System.CommandLine;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace cluster health</c></summary>
[Example("millrace cluster health", "Ends with 0 if nothing is amiss; with 7 if partitions have no leader, with 1 if brokers are gone")]
[Example("millrace cluster health --json | jq .unavailable", "How many partitions nobody leads")]
internal sealed class ClusterHealthCommand() : ClientCommand("health", "Show whether brokers are gone, partitions without a leader, and WALs waiting")
{
    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var cluster = await ClusterView.AskAsync(admin, Client, result, token);
        var partitions = admin.GetMetadata(Client.Timeout(result)).Topics.SelectMany(topic => topic.Partitions).ToList();
        var unavailable = partitions.Count(partition => partition.Leader < 0);
        var problems = ClusterProblems.Of(cluster, partitions.Count, unavailable);
        new Report("Cluster id", "Healthy", "Live", "Fenced", "Stopped", "Controller", "Partitions", "Unavailable", "Waiting wals")
            .Add(
                cluster.ClusterId, problems.Count == 0, Count(cluster, BrokerView.Live), Count(cluster, BrokerView.Fenced), Count(cluster, BrokerView.Stopped),
                cluster.Controller, partitions.Count, unavailable, cluster.WaitingWals?.Count)
            .Write(Client.Json(result));
        foreach (var (exitCode, problem) in problems)
        {
            Messages.Error(Client.Json(result), exitCode, problem);
        }

        return problems.Count == 0 ? ExitCode.Success : problems[0].ExitCode;
    }

    private static int Count(ClusterView cluster, string state) => cluster.Brokers.Count(broker => broker.State == state);
}
