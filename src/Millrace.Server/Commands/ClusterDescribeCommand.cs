using System.CommandLine;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace cluster describe</c></summary>
[Example("millrace cluster describe -b kafka-1:9092,kafka-2:9092", "By way of the first that answers")]
[Example("millrace cluster describe --profile production", "The cluster that a section of the file of profiles names")]
internal sealed class ClusterDescribeCommand() : ClientCommand("describe", "Show the cluster's id and its brokers")
{
    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var cluster = await admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = Client.Timeout(result) });
        var report = new Report("Cluster id", "Node", "Host", "Port", "Rack", "Controller");
        foreach (var node in cluster.Nodes.OrderBy(node => node.Id))
        {
            report.Add(cluster.ClusterId, node.Id, node.Host, node.Port, node.Rack, node.Id == cluster.Controller?.Id);
        }

        report.Write(Client.Json(result));
        return ExitCode.Success;
    }
}
