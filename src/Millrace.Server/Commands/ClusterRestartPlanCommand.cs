using System.CommandLine;
using Millrace.Metadata.Configs;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace cluster restart-plan</c></summary>
[Example("millrace cluster restart-plan", "In which order to restart the brokers, rack by rack and the controller last, and with which commands")]
[Example("millrace cluster restart-plan --json | jq -r .node", "The order, for a script")]
internal sealed class ClusterRestartPlanCommand() : ClientCommand("restart-plan", "Show how to restart all brokers, one after another, while clients go on")
{
    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var cluster = await ClusterView.AskAsync(admin, Client, result, token);
        var partitions = admin.GetMetadata(Client.Timeout(result)).Topics.SelectMany(topic => topic.Partitions).ToList();
        var live = cluster.Brokers.Where(broker => broker.State == BrokerView.Live).ToList();

        // Whoever restarts a broker while another is gone takes the second one.
        var problems = ClusterProblems.Of(cluster, partitions.Count, partitions.Count(partition => partition.Leader < 0)).Concat(Drained(live)).ToList();
        if (problems.Count > 0)
        {
            problems.ForEach(one => Messages.Error(Client.Json(result), one.ExitCode, one.Problem));
            Messages.Note(Client.Json(result), "Restart no broker before that is mended.");
            return problems[0].ExitCode;
        }

        // The controller goes once, at the end: before that it would go to one that is restarted next.
        var report = new Report("Step", "Node", "Name", "Host", "Port", "Rack", "Controller", "Leads");
        var order = live.OrderBy(broker => broker.Id == cluster.Controller).ThenBy(broker => broker.Rack, StringComparer.Ordinal).ThenBy(broker => broker.Id);
        foreach (var (step, broker) in order.Index())
        {
            report.Add(
                step + 1, broker.Id, broker.Name, broker.Host, broker.Port, broker.Rack, broker.Id == cluster.Controller,
                partitions.Count(partition => partition.Leader == broker.Id));
        }

        report.Write(Client.Json(result));
        Messages.Note(
            Client.Json(result),
            live.Count < 2
                ? "One broker alone has nobody to hand over to: its clients wait while it restarts."
                : "For each NODE in this order: `millrace broker drain NODE --wait`, stop it, start it, `millrace broker undrain NODE --wait`, and "
                + "`millrace cluster health` before the next. A broker that is only stopped (SIGTERM) and started does the same by itself.");
        return ExitCode.Success;
    }

    private static IEnumerable<(int ExitCode, string Problem)> Drained(IEnumerable<BrokerView> live) =>
        live.Where(broker => broker.Duty == BrokerDuty.Drained)
            .Select(broker => (ExitCode.Failed, $"Broker {broker.Id} is drained: `millrace broker undrain {broker.Id} --wait` first."));
}
