using System.Diagnostics;
using System.Net;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>What the command line and the probes say when a broker, its store or a leader is away.</summary>
public sealed class DiagnosisTests : IDisposable
{
    private const int NoLeader = 7;
    private const int StoreAway = 8;

    private readonly TemporaryDirectory _directory = new();
    private readonly HttpClient _client = new();

    public void Dispose()
    {
        _client.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Those_who_follow_a_topic_are_told_when_the_broker_goes_and_comes_and_miss_nothing()
    {
        await using var broker = await MillraceProcess.StartAsync(_directory.Path);
        await TestTopic.CreateAsync(broker.BootstrapServers, "followed", partitions: 1);
        using var consumer = Process.Start(new ProcessStartInfo(MillraceProcess.Program, ["consume", "followed", "-b", broker.BootstrapServers])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(90));
            await ProduceAsync(broker, "followed", "before\n");
            Assert.Equal("before", await consumer.StandardOutput.ReadLineAsync(limit.Token));

            await broker.KillAsync();
            await ReadUntilAsync(consumer.StandardError, "the connection is refused. Waiting.", limit.Token);
            await using var next = await MillraceProcess.StartAsync(_directory.Path, "--listen", broker.BootstrapServers);
            await ProduceAsync(next, "followed", "after\n");

            Assert.Equal("after", await consumer.StandardOutput.ReadLineAsync(limit.Token));
            await ReadUntilAsync(consumer.StandardError, "works again.", limit.Token);
        }
        finally
        {
            consumer.Kill();
        }
    }

    [Fact]
    public async Task A_store_that_is_away_is_named_by_commands_and_probes_until_it_is_back()
    {
        await using var store = await BreakableStore.StartAsync(_directory.Sub("minio"));
        await using var broker = await MillraceProcess.StartAsync(
            _directory.Sub("data"), store.Server.Credentials, "--store", store.Server.Uri("away"), "--wal", "object");
        await TestTopic.CreateAsync(broker.BootstrapServers, "written", partitions: 1);
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync(broker, "/readyz"));

        await store.SignalAsync("KILL");
        Assert.True(await Eventually.BecomesTrueAsync(async () => (await GetAsync(broker, "/readyz")).Status == HttpStatusCode.ServiceUnavailable));
        Assert.StartsWith("not ready\nstore away: ", (await GetAsync(broker, "/readyz")).Body, StringComparison.Ordinal);
        var (health, body) = await GetAsync(broker, "/healthz");
        Assert.Equal(HttpStatusCode.OK, health);
        Assert.StartsWith("ok\nstore away: ", body, StringComparison.Ordinal);
        var produced = await RunAsync(broker, "x\n", "produce", "written", "--timeout", "10");
        var created = await RunAsync(broker, "", "topic", "create", "another", "--timeout", "10");
        Assert.All((ToolResult[])[produced, created], result =>
        {
            Assert.Equal(StoreAway, result.ExitCode);
            Assert.Contains("its store does not", result.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain("No broker", result.Errors, StringComparison.Ordinal);
        });
        Assert.Contains("Of 1 record sent, 0 are acknowledged.", produced.Errors, StringComparison.Ordinal);

        await store.RestartAsync();
        Assert.True(await Eventually.BecomesTrueAsync(async () => await GetAsync(broker, "/readyz") == (HttpStatusCode.OK, "ok\n")));
    }

    [Fact]
    public async Task Partitions_without_a_leader_are_named_by_commands_and_probes()
    {
        var wal = _directory.Sub("wal");
        string[] arguments = ["--wal", $"file://{wal}"];
        await using (var broker = await MillraceProcess.StartAsync(_directory.Sub("data"), arguments))
        {
            await TestTopic.CreateAsync(broker.BootstrapServers, "led", partitions: 2);
            await ProduceAsync(broker, "led", "a\nb\n");
            await broker.KillAsync();
        }

        Directory.Move(wal, wal + ".away");
        await using var next = await MillraceProcess.StartAsync(_directory.Sub("data"), arguments);
        Assert.Equal((HttpStatusCode.OK, "ok\nwithout a leader: 2 of 2 partitions: led-0, led-1\n"), await GetAsync(next, "/readyz"));
        foreach (var command in (string[])["produce led", "consume led --exit", "consume led --exit --offset -1", "topic trim led --before end"])
        {
            var result = await RunAsync(next, "x\n", [.. command.Split(' '), "--timeout", "6"]);
            Assert.True(result.ExitCode == NoLeader, $"{command} ended with {result.ExitCode}: {result.Errors}");
            Assert.Contains("No broker leads led-0, led-1", result.Errors, StringComparison.Ordinal);
        }
    }

    private static async Task ReadUntilAsync(StreamReader lines, string said, CancellationToken token)
    {
        string? line;
        do
        {
            line = await lines.ReadLineAsync(token);
            Assert.NotNull(line);
        }
        while (!line.Contains(said, StringComparison.Ordinal));
    }

    private static async Task ProduceAsync(MillraceProcess broker, string topic, string lines)
    {
        var result = await RunAsync(broker, lines, "produce", topic, "--timeout", "60");
        Assert.True(result.ExitCode == 0, result.Errors);
    }

    private static Task<ToolResult> RunAsync(MillraceProcess broker, string input, params string[] arguments) =>
        Tool.TryRunAsync(MillraceProcess.Program, [.. arguments, "-b", broker.BootstrapServers], input);

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(MillraceProcess broker, string path)
    {
        using var response = await _client.GetAsync(new Uri(broker.Http, path), TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
