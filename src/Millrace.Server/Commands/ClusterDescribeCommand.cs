using System.CommandLine;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;

namespace Millrace.Server.Commands;

/// <summary><c>millrace cluster describe</c></summary>
internal sealed class ClusterDescribeCommand() : ClientCommand("describe", "Show the cluster's id and its brokers")
{
    protected override async Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        using var admin = Client.Admin(result);
        var cluster = await admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = Client.Timeout(result) });
        var report = new Report("Node", "Host", "Port", "Rack", "Controller");
        foreach (var node in cluster.Nodes.OrderBy(node => node.Id))
        {
            report.Add(node.Id, node.Host, node.Port, node.Rack, node.Id == cluster.Controller?.Id);
        }

        if (Client.Json(result))
        {
            Console.Out.WriteLine(new JsonObject { ["clusterId"] = cluster.ClusterId, ["nodes"] = report.ToJson() }.ToJsonString());
        }
        else
        {
            Console.Out.WriteLine($"Cluster {cluster.ClusterId}");
            report.Write(json: false);
        }

        return ExitCode.Success;
    }
}
