using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>kafka-python as Debian ships it.</summary>
[Collection(ClientTestGroup.Name)]
public sealed class KafkaPythonTests(SharedBroker broker)
{
    // Debian's interpreter: only it sees Debian's package.
    private const string Python = "/usr/bin/python3";

    [Fact]
    public async Task Records_groups_and_timestamps_work_with_every_codec()
    {
        await SkipUnlessInstalledAsync();
        var codecs = await Codecs();

        var output = await RunAsync(broker.BootstrapServers, codecs);

        Assert.Contains("gzip", codecs);
        foreach (var codec in codecs)
        {
            Assert.Contains($"verified codec {codec}: 100 records", output, StringComparison.Ordinal);
            Assert.Contains($"verified timestamp {codec}", output, StringComparison.Ordinal);
        }

        Assert.Contains("verified rebalance", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_admin_client_replaces_configs_and_describes_logs()
    {
        await SkipUnlessInstalledAsync();
        var script = Path.Combine(Repository.Root, "tests", "Millrace.Tests", "Clients", "scripts", "kafka_python_admin.py");

        var output = await Tool.RunAsync(Python, [script, broker.BootstrapServers, "kafka-python-admin"]);

        Assert.Contains("verified replacement", output, StringComparison.Ordinal);
        Assert.Contains("verified directories", output, StringComparison.Ordinal);
    }

    internal static async Task SkipUnlessInstalledAsync() => Assert.SkipUnless(
        File.Exists(Python) && (await Tool.TryRunAsync(Python, ["-c", "import kafka"])).ExitCode == 0,
        "python3-kafka is not installed: run .ci/run, or apt-get install python3-kafka");

    /// <summary>What it says of all that it tries at a broker.</summary>
    internal static Task<string> RunAsync(string bootstrapServers, params string[] codecs)
    {
        var script = Path.Combine(Repository.Root, "tests", "Millrace.Tests", "Clients", "scripts", "kafka_python.py");
        return Tool.RunAsync(Python, [script, bootstrapServers, "kafka-python", .. codecs], limit: TimeSpan.FromMinutes(3));
    }

    /// <summary>What it supports depends on the codec libraries that are installed beside it.</summary>
    private static async Task<string[]> Codecs()
    {
        const string ask = "from kafka import codec as c; print('none', *[n for n in ('gzip','snappy','lz4','zstd') if getattr(c, 'has_' + n)()])";
        return (await Tool.RunAsync(Python, ["-c", ask])).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
    }
}
