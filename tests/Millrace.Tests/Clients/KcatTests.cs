using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>kcat, the tool people reach for first.</summary>
[Collection(ClientTestGroup.Name)]
public sealed class KcatTests(SharedBroker broker)
{
    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Records_come_back_as_they_were_sent(string codec)
    {
        SkipUnlessInstalled();
        var topic = $"kcat-{codec}";
        var lines = Enumerable.Range(0, 100).Select(i => i % 10 == 0 ? $"key-{i}:" : $"key-{i}:{new string('v', i * 3)}").ToList();

        // The topic is made by writing to it. -Z: an empty value is a null value.
        await KcatWithInput(
            string.Join('\n', lines) + "\n", "-P", "-t", topic, "-p", "0", "-z", codec, "-K", ":", "-Z", "-H", "color=blue", "-X", "acks=all");
        var received = await Kcat("-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q", "-K", ":", "-f", "%o %k:%s %S %h\\n");

        Assert.Equal(
            lines.Select((line, i) => $"{i} {line} {(i % 10 == 0 ? -1 : i * 3)} color=blue"),
            received.Lines);
    }

    [Fact]
    public async Task Offsets_are_found_by_timestamp_and_metadata_lists_the_topic()
    {
        SkipUnlessInstalled();
        await KcatWithInput("a\nb\nc\n", "-P", "-t", "kcat-time", "-p", "0");
        var timestamps = (await Kcat("-C", "-t", "kcat-time", "-p", "0", "-o", "beginning", "-e", "-q", "-f", "%T\\n")).Lines;

        var query = await Kcat("-Q", "-t", $"kcat-time:0:{timestamps[0]}");
        Assert.Contains("offset 0", query.Output, StringComparison.Ordinal);
        Assert.Contains("\"topic\":\"kcat-time\"", (await Kcat("-L", "-J")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_members_of_a_group_read_each_record_once()
    {
        SkipUnlessInstalled();
        using (var admin = new Confluent.Kafka.AdminClientBuilder(new Confluent.Kafka.AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build())
        {
            await admin.CreateTopicsAsync([new() { Name = "kcat-group", NumPartitions = 4, ReplicationFactor = 1 }]);
        }

        await using var first = new KcatGroupMember(broker.BootstrapServers, "kcat-group");
        await first.WaitForAssignmentAsync(4);
        await using var second = new KcatGroupMember(broker.BootstrapServers, "kcat-group");
        await Task.WhenAll(first.WaitForAssignmentAsync(2), second.WaitForAssignmentAsync(2));
        for (var partition = 0; partition < 4; partition++)
        {
            await KcatWithInput(
                string.Concat(Enumerable.Range(0, 10).Select(i => $"{partition}-{i}\n")), "-P", "-t", "kcat-group", "-p", $"{partition}");
        }

        await Task.WhenAll(first.WaitForRecordsAsync(20), second.WaitForRecordsAsync(20));
        Assert.Equal(40, first.Records.Concat(second.Records).Distinct().Count());
    }

    private static void SkipUnlessInstalled() =>
        Assert.SkipUnless(Tool.IsInstalled("kcat"), "kcat is not installed: run .ci/run, or apt-get install kcat");

    private Task<ToolResult> Kcat(params string[] arguments) => KcatWithInput(null, arguments);

    private async Task<ToolResult> KcatWithInput(string? input, params string[] arguments)
    {
        var result = await Tool.TryRunAsync("kcat", ["-b", broker.BootstrapServers, .. arguments], input);
        Assert.True(result.ExitCode == 0, $"kcat {string.Join(' ', arguments)}: {result.Errors}");
        return result;
    }
}
