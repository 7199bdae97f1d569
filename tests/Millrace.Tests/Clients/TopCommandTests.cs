using System.Diagnostics;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Millrace.Tests.Server.Http;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary><c>broker top</c>, <c>partition top</c> and the metrics of the same, of a broker with a producer and a reader.</summary>
public sealed class TopCommandTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly CancellationTokenSource _ended = new();
    private MillraceProcess? _broker;
    private Shell? _shell;
    private Task _producing = Task.CompletedTask;

    public async ValueTask InitializeAsync()
    {
        _broker = await MillraceProcess.StartAsync(_directory.Path);
        _shell = new Shell(_broker.BootstrapServers);
        await _shell.RunAsync("topic create topped -p 3");
        _producing = ProduceAsync(_broker.BootstrapServers, _ended.Token);
    }

    public async ValueTask DisposeAsync()
    {
        _ended.Cancel();
        await _producing;
        await _broker!.DisposeAsync();
        _ended.Dispose();
        _client.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task What_a_broker_and_its_partitions_have_to_do_is_told_by_commands_and_metrics()
    {
        JsonNode? broker = null;
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            broker = JsonNode.Parse((await _shell!.RunAsync("broker top --json --once")).Output);
            return (long?)broker!["bytesIn"] > 1_000;
        }));

        Assert.True((double)broker!["cpuPercent"]! > 0);
        Assert.True((long)broker["requests"]! > 0);
        Assert.True((double)broker["walWaitMs"]! > 0);
        Assert.True((long)broker["memory"]! > 10_000_000);
        var partition = JsonNode.Parse((await _shell!.RunAsync("partition top --json --count 1 --sort in")).Output)!;
        Assert.Equal(("topped", 1, _broker!.Node), ((string)partition["topic"]!, (int)partition["partition"]!, (int)partition["leader"]!));
        Assert.True((long)partition["bytesIn"]! > 1_000);

        var seen = await Scrape.OfAsync(_client, _broker.Http);
        var documented = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "operations.md"), TestContext.Current.CancellationToken);
        Assert.True(seen.Sum("millrace_busiest_partition_bytes_per_second", "topic=\"topped\"", "partition=\"1\"", "direction=\"in\"") > 1_000);
        Assert.True(seen.Sum("millrace_wal_wait_seconds") > 0);
        Assert.All(
            (string[])["millrace_busiest_partition_bytes_per_second", "millrace_wal_wait_seconds"],
            name => Assert.Contains($"`{name}`", documented, StringComparison.Ordinal));
    }

    [Fact]
    public async Task At_a_terminal_it_is_shown_again_and_again_until_it_is_interrupted()
    {
        var line = $"exec env -u NO_COLOR TERM=xterm {MillraceProcess.Program} broker top --interval 0.2 -b {_broker!.BootstrapServers}";
        using var shown = Process.Start(new ProcessStartInfo("script", ["--quiet", "--return", "--command", line, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        for (var (screens, lines) = (0, 0); screens < 3; lines++)
        {
            var read = await shown.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            Assert.NotNull(read);
            Assert.True(lines < 50, read);
            screens += read.Contains("\e[H\e[2J\e[1mNODE", StringComparison.Ordinal) ? 1 : 0;
        }

        // Ctrl-C, as the terminal takes it.
        await shown.StandardInput.WriteAsync("\x03");
        await shown.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        await shown.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await shown.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, shown.ExitCode);
    }

    [Theory]
    [InlineData("broker top --interval 0")]
    [InlineData("broker top --sort memory")]
    [InlineData("partition top --count 0")]
    public async Task What_cannot_be_meant_is_refused(string command) => Assert.Equal(2, (await _shell!.TryAsync(command)).ExitCode);

    private static async Task ProduceAsync(string bootstrapServers, CancellationToken ended)
    {
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = bootstrapServers, LingerMs = 20 }).Build();
        while (!ended.IsCancellationRequested)
        {
            await producer.ProduceAsync(new TopicPartition("topped", 1), new Message<Null, byte[]> { Value = new byte[2_000] }, CancellationToken.None);
        }
    }
}
