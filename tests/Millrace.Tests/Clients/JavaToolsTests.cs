using System.Text.Json.Nodes;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>Apache Kafka's own clients and tools, where they are at hand.</summary>
[Collection(ClientTestGroup.Name)]
public sealed class JavaToolsTests(SharedBroker broker)
{
    private static readonly string? Script = Repository.Shared("peers/kafka/kafka.sh");

    [Fact]
    public async Task Topics_and_configs_manage_a_topic()
    {
        await RunAsync("topics", "--create", "--topic", "java-topic", "--partitions", "2", "--replication-factor", "1", "--config", "retention.ms=86400000");
        Assert.Contains("java-topic", (await RunAsync("topics", "--list")).Lines);
        await RunAsync("topics", "--alter", "--topic", "java-topic", "--partitions", "4");
        var described = (await RunAsync("topics", "--describe", "--topic", "java-topic")).Output;
        Assert.Contains("PartitionCount: 4", described, StringComparison.Ordinal);
        Assert.Contains("retention.ms=86400000", described, StringComparison.Ordinal);

        await RunAsync("configs", "--alter", "--entity-type", "topics", "--entity-name", "java-topic", "--add-config", "max.message.bytes=65536");
        Assert.Contains(
            "max.message.bytes=65536",
            (await RunAsync("configs", "--describe", "--entity-type", "topics", "--entity-name", "java-topic")).Output, StringComparison.Ordinal);
        Assert.NotEmpty((await RunAsync("configs", "--describe", "--entity-type", "brokers", "--all")).Lines);

        await RunAsync("topics", "--delete", "--topic", "java-topic");
        Assert.DoesNotContain("java-topic", (await RunAsync("topics", "--list")).Lines);
    }

    [Fact]
    public async Task The_verifiable_producer_and_consumer_agree()
    {
        await RunAsync("topics", "--create", "--topic", "java-verifiable", "--partitions", "3");
        var produced = Events(await RunAsync("verifiable-producer", "--topic", "java-verifiable", "--max-messages", "1000", "--acks", "-1"))
            .Where(line => (string?)line["name"] == "producer_send_success").ToList();
        Assert.Equal(1000, produced.Count);

        var consumed = Events(await RunAsync(
                "verifiable-consumer", "--topic", "java-verifiable", "--group-id", "java-verifiable-group", "--max-messages", "1000",
                "--reset-policy", "earliest", "--verbose"))
            .Where(line => (string?)line["name"] == "record_data").ToList();
        Assert.Equal(
            produced.Select(line => ((int)line["partition"]!, (long)line["offset"]!, (string?)line["value"])).Order(),
            consumed.Select(line => ((int)line["partition"]!, (long)line["offset"]!, (string?)line["value"])).Order());
    }

    [Fact]
    public async Task Console_tools_carry_keys_and_headers_and_groups_can_be_looked_at_reset_and_deleted()
    {
        await RunAsync("topics", "--create", "--topic", "java-console", "--partitions", "1");
        await RunWithInputAsync(
            "h1:a\tk1\tone\nh1:b\tk2\ttwo\n", "console-producer", "--topic", "java-console", "--reader-property", "parse.key=true",
            "--reader-property", "parse.headers=true", "--reader-property", "headers.separator=,",
            "--compression-codec", "zstd");
        var consumed = await RunAsync(
            "console-consumer", "--topic", "java-console", "--from-beginning", "--max-messages", "2", "--group", "java-console-group",
            "--formatter-property", "print.key=true", "--formatter-property", "print.headers=true", "--timeout-ms", "30000");
        Assert.Equal(["h1:a\tk1\tone", "h1:b\tk2\ttwo"], consumed.Lines);

        Assert.Contains("java-console-group", (await RunAsync("consumer-groups", "--list")).Lines);
        var described = (await RunAsync("consumer-groups", "--describe", "--group", "java-console-group")).Output;
        Assert.Contains("java-console", described, StringComparison.Ordinal);
        var reset = await RunAsync(
            "consumer-groups", "--reset-offsets", "--group", "java-console-group", "--topic", "java-console", "--to-offset", "1", "--execute");
        Assert.Matches(@"java-console\s+0\s+1", reset.Output);
        Assert.Contains(
            "Empty", (await RunAsync("consumer-groups", "--describe", "--group", "java-console-group", "--state")).Output, StringComparison.Ordinal);
        await RunAsync("consumer-groups", "--delete", "--group", "java-console-group");
        Assert.DoesNotContain("java-console-group", (await RunAsync("consumer-groups", "--list")).Lines);
    }

    [Fact]
    public async Task Offsets_can_be_listed_and_records_deleted()
    {
        await RunAsync("topics", "--create", "--topic", "java-perf", "--partitions", "1");
        var performance = await RunAsync(
            "producer-perf", "--topic", "java-perf", "--num-records", "2000", "--record-size", "200", "--throughput", "-1");
        Assert.Contains("2000 records sent", performance.Output, StringComparison.Ordinal);
        Assert.Contains("java-perf:0:2000", (await RunAsync("get-offsets", "--topic", "java-perf")).Lines);

        using var directory = new TemporaryDirectory();
        var request = directory.Sub("delete.json");
        await File.WriteAllTextAsync(request, """{"partitions": [{"topic": "java-perf", "partition": 0, "offset": 500}], "version": 1}""");
        await RunAsync("delete-records", "--offset-json-file", request);
        Assert.Contains("java-perf:0:500", (await RunAsync("get-offsets", "--topic", "java-perf", "--time", "earliest")).Lines);
    }

    [Fact]
    public async Task Directories_quorum_and_offsets_are_shown_and_offsets_are_deleted()
    {
        await RunAsync("topics", "--create", "--topic", "java-admin", "--partitions", "1");
        await RunWithInputAsync("a\nb\n", "console-producer", "--topic", "java-admin");
        await RunAsync(
            "console-consumer", "--topic", "java-admin", "--from-beginning", "--max-messages", "2", "--group", "java-admin-group", "--timeout-ms", "30000");

        Assert.Contains(
            "\"partition\":\"java-admin-0\"", (await RunAsync("log-dirs", "--describe", "--topic-list", "java-admin")).Output, StringComparison.Ordinal);
        Assert.Matches(@"LeaderId:\s+\d+", (await RunAsync("metadata-quorum", "describe", "--status")).Output);
        Assert.Contains("Leader", (await RunAsync("metadata-quorum", "describe", "--replication")).Output, StringComparison.Ordinal);
        Assert.Matches(
            "java-admin.*Successful", (await RunAsync("consumer-groups", "--delete-offsets", "--group", "java-admin-group", "--topic", "java-admin")).Output);
        Assert.DoesNotContain("java-admin ", (await RunAsync("consumer-groups", "--describe", "--group", "java-admin-group")).Output, StringComparison.Ordinal);
    }

    private static IEnumerable<JsonObject> Events(ToolResult result) =>
        result.Lines.Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!.AsObject());

    private Task<ToolResult> RunAsync(string tool, params string[] arguments) => RunWithInputAsync("", tool, arguments);

    private async Task<ToolResult> RunWithInputAsync(string input, string tool, params string[] arguments)
    {
        Assert.SkipWhen(Script is null || !Tool.IsInstalled("java"), "Apache Kafka's tools, or Java, are not at hand");
        var result = await Tool.TryRunAsync(Script!, [tool, "--bootstrap-server", broker.BootstrapServers, .. arguments], input, TimeSpan.FromMinutes(2));
        Assert.True(result.ExitCode == 0, $"{tool} {string.Join(' ', arguments)} ended with {result.ExitCode}:\n{result.Output}\n{result.Errors}");
        return result;
    }
}
