using System.Text.Json.Nodes;
using Millrace.Tests.Clients;

namespace Millrace.Tests.Acceptance;

/// <summary>Clusters whose brokers are in racks, and read what others lead.</summary>
internal static class RackedBrokers
{
    /// <param name="directory">Where all of it lies.</param>
    /// <param name="followedBytes">The memory for what others lead.</param>
    /// <param name="leastInWal">From how many bytes of a partition on in an object of a leader's WAL that is read there; 0: never.</param>
    /// <param name="racks">Of each broker.</param>
    public static Task<BrokerCluster> StartAsync(TemporaryDirectory directory, int followedBytes, int leastInWal, params string[] racks) =>
        BrokerCluster.StartAsync(
            directory,
            racks.Length,
            [],
            index =>
            [
                "--store", $"file://{directory.Sub("store")}", "--wal", "object", "--set", $"broker.rack={racks[index]}",
                "--set", "auto.leader.rebalance.enable=false", "--set", "group.initial.rebalance.delay.ms=0",
                "--set", $"millrace.followed.max.bytes={followedBytes}", "--set", $"millrace.followed.wal.bytes={leastInWal}",
            ]);

    /// <summary>Has a broker lead the only partition of a topic.</summary>
    public static async Task LeadAsync(string topic, MillraceProcess broker)
    {
        var shell = new Shell(broker.BootstrapServers);
        if ((int)JsonNode.Parse((await shell.RunAsync($"partition list --topic {topic} --json")).Lines[0])!["leader"]! != broker.Node)
        {
            await shell.RunAsync($"partition move {topic}:0 --to {broker.Node} --timeout 60");
        }
    }
}
