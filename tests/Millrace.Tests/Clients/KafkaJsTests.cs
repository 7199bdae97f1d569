using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>kafkajs, the client most Node.js programs run.</summary>
[Collection(ClientTestGroup.Name)]
public sealed class KafkaJsTests(SharedBroker broker)
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "Millrace.Tests", "Clients", "kafkajs");

    [Fact]
    public async Task Records_groups_and_timestamps_work_with_every_codec()
    {
        var output = await RunAsync(broker.BootstrapServers);

        foreach (var codec in new[] { "none", "gzip", "snappy", "lz4" })
        {
            Assert.Contains($"verified codec {codec}: 100 records", output, StringComparison.Ordinal);
            Assert.Contains($"verified timestamp {codec}", output, StringComparison.Ordinal);
        }

        Assert.Contains("verified rebalance", output, StringComparison.Ordinal);
    }

    /// <summary>What it says of all that it tries at a broker.</summary>
    internal static Task<string> RunAsync(string bootstrapServers) => RunAsync("client.js", [bootstrapServers, "kafkajs"]);

    /// <summary>What one of the scripts beside it prints.</summary>
    internal static Task<string> RunAsync(string script, string[] arguments)
    {
        Assert.SkipUnless(
            Tool.IsInstalled("node") && Directory.Exists(Path.Combine(Folder, "node_modules", "kafkajs")),
            "kafkajs is not installed: run .ci/run, or npm install in tests/Millrace.Tests/Clients/kafkajs");
        return Tool.RunAsync("node", [Path.Combine(Folder, script), .. arguments], limit: TimeSpan.FromMinutes(3));
    }
}
