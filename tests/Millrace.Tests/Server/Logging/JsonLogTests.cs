using System.Globalization;
using System.Text.Json.Nodes;
using Millrace.Tests.Acceptance;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Server.Logging;

public sealed class JsonLogTests
{
    private const string Secret = "a-secret-that-nobody-may-see";

    [Fact]
    public async Task Every_line_of_a_nodes_life_is_an_object_with_a_time_and_without_secrets()
    {
        using var directory = new TemporaryDirectory();
        await using var broker = await MillraceProcess.StartAsync(
            directory.Path, [("AWS_SECRET_ACCESS_KEY", Secret), ("AWS_SESSION_TOKEN", Secret)], "--log-format", "json", "--log-level", "debug");
        await TestTopic.CreateAsync(broker.BootstrapServers, "logged", partitions: 1);
        Assert.Equal(0, await broker.StopAsync());

        var entries = Entries(broker.Log);

        Assert.Contains(entries, entry => ((string)entry["Message"]!).StartsWith("Ready on", StringComparison.Ordinal));
        Assert.Contains(entries, entry => ((string)entry["Message"]!).StartsWith("Stopped", StringComparison.Ordinal));
        Assert.Contains(entries, entry => entry["State"]!["Settings"] is not null);
        Assert.DoesNotContain(Secret, broker.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--store", "file:///tmp?accessKey=" + Secret, 2)]
    [InlineData("--store", "s3://bucket?endpoint=http://key:" + Secret + "@127.0.0.1:1", 2)]
    [InlineData("--store", "s3://key:" + Secret + "@bucket", 2)]
    [InlineData("--set", "no.such.setting=1", 2)]
    [InlineData("--set", "millrace.http.listener=192.0.2.1:1", 1)]
    public async Task A_start_that_is_refused_says_so_in_JSON_and_repeats_no_secret(string option, string value, int exitCode)
    {
        using var directory = new TemporaryDirectory();
        var result = await Tool.TryRunAsync(
            MillraceProcess.Program,
            ["start", "--data-dir", directory.Path, "--listen", "127.0.0.1:0", "--log-format", "json", option, value]);

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Equal("Critical", (string?)Entries(result.Errors)[^1]["LogLevel"]);
        Assert.DoesNotContain(Secret, result.Output + result.Errors, StringComparison.Ordinal);
    }

    private static List<JsonObject> Entries(string log)
    {
        var entries = log.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(line => JsonNode.Parse(line)!.AsObject())
            .ToList();
        Assert.NotEmpty(entries);
        Assert.All(entries, entry => Assert.True(DateTimeOffset.TryParse((string?)entry["Timestamp"], CultureInfo.InvariantCulture, out _), entry.ToString()));
        return entries;
    }
}
