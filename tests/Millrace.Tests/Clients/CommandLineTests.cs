using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>The program's own commands, as a shell runs them.</summary>
[Collection(ClientTestGroup.Name)]
public sealed class CommandLineTests(SharedBroker broker)
{
    private const int Failed = 1;
    private const int Usage = 2;
    private const int NotFound = 3;
    private const int Unreachable = 5;

    [Fact]
    public async Task Records_go_through_a_pipe_as_they_are()
    {
        const string lines = """
            {"key":"k","value":null,"headers":[["h","1"],["h","2"]],"partition":0,"timestamp":1700000000000}
            {"key":null,"value":{"base64":"/wD+DQ=="},"headers":[],"partition":0,"timestamp":1700000000001}

            """;
        await RunAsync("", "topic", "create", "cli-copy", "-p", "1");
        await RunAsync(lines, "produce", "cli-copy", "--format", "json");
        var first = await RunAsync("", "consume", "cli-copy", "--exit", "--json");

        await RunAsync(first.Output, "produce", "cli-copy", "--format", "json");

        var copy = await RunAsync("", "consume", "cli-copy", "--exit", "--json", "--offset", "2");
        Assert.Equal(2, first.Lines.Length);
        Assert.Equal(first.Output.Replace("\"offset\":0", "\"offset\":2", StringComparison.Ordinal).Replace("\"offset\":1,", "\"offset\":3,", StringComparison.Ordinal), copy.Output);
        var later = await RunAsync("", "consume", "cli-copy", "--exit", "--offset", "@1700000000001", "--format", "%o ");
        Assert.Equal("1 2 3 ", later.Output);
        Assert.Equal("", (await RunAsync("", "consume", "cli-copy", "--exit", "--offset", "99")).Output);
    }

    [Fact]
    public async Task An_interrupted_consumer_leaves_its_group()
    {
        await RunAsync("", "topic", "create", "cli-leave", "-p", "1");
        await RunAsync("x\n", "produce", "cli-leave");
        using var consumer = Process.Start(new ProcessStartInfo(
            MillraceProcess.Program, ["consume", "cli-leave", "--group", "cli-leave", "-b", broker.BootstrapServers]) { RedirectStandardOutput = true })!;
        Assert.Equal("x", await consumer.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        await Tool.RunAsync("kill", ["-INT", $"{consumer.Id}"]);
        await consumer.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, consumer.ExitCode);
        var described = await RunAsync("", "group", "describe", "cli-leave", "--json");
        Assert.Contains("\"state\":\"Empty\"", described.Output, StringComparison.Ordinal);
        Assert.Contains("\"lag\":0", described.Output, StringComparison.Ordinal);
        await RunAsync("", "group", "delete", "cli-leave");
    }

    [Theory]
    [InlineData("topic list")]
    [InlineData("topic describe t")]
    [InlineData("group list")]
    [InlineData("group describe g")]
    [InlineData("group delete g")]
    [InlineData("cluster describe")]
    [InlineData("produce t")]
    [InlineData("consume t --exit")]
    [InlineData("consume t --exit --group g")]
    public async Task A_broker_that_is_not_there_is_named(string command)
    {
        // Bound, so that nobody else listens there meanwhile, and not listening.
        using var closed = new Socket(SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var address = closed.LocalEndPoint!.ToString()!;

        var result = await Tool.TryRunAsync(MillraceProcess.Program, [.. command.Split(' '), "--timeout", "1", "-b", address], "x\n");

        Assert.Equal(Unreachable, result.ExitCode);
        Assert.Contains($"No broker answered at {address}", result.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(NotFound, "topic trim cli-missing --before end", "cli-missing")]
    [InlineData(NotFound, "topic trim cli-wrong --before end -p 7", "has no partition 7")]
    [InlineData(NotFound, "consume cli-missing --exit", "There is no topic 'cli-missing'")]
    [InlineData(NotFound, "consume cli-missing --exit --group g", "There is no topic 'cli-missing'")]
    [InlineData(Usage, "consume cli-wrong --group g -p 0", "--partition")]
    [InlineData(Usage, "consume cli-wrong -n -1", "--num")]
    [InlineData(Usage, "topic list --timeout 0", "--timeout")]
    [InlineData(Usage, "topic list -X no.such=1", "no.such")]
    [InlineData(Usage, "topic list --partitions 1", "Unrecognized")]
    public async Task What_cannot_be_done_is_said_in_words_and_by_the_exit_code(int exitCode, string command, string said)
    {
        await RunAsync("", "topic", "create", "cli-wrong", "-p", "1", "--if-not-exists");

        var result = await Tool.TryRunAsync(MillraceProcess.Program, [.. command.Split(' '), "-b", broker.BootstrapServers], "");

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(said, result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
    }

    [Theory]
    [InlineData("--listen", "--listen")]
    [InlineData("--set", "millrace.http.listener")]
    public async Task A_start_on_a_port_that_is_taken_says_what_to_do(string option, string said)
    {
        using var directory = new TemporaryDirectory();
        var value = option == "--set" ? $"millrace.http.listener={broker.BootstrapServers}" : broker.BootstrapServers;
        string[] listen = option == "--set" ? ["--listen", "127.0.0.1:0"] : [];

        var result = await Tool.TryRunAsync(MillraceProcess.Program, ["start", "--data-dir", directory.Path, option, value, .. listen]);

        Assert.Equal(Failed, result.ExitCode);
        Assert.Contains(broker.BootstrapServers, result.Errors, StringComparison.Ordinal);
        Assert.Contains($"hoose another address with {(option == "--set" ? "--set " : "")}{said}", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verifying_a_store_that_is_not_there_does_not_make_it()
    {
        using var directory = new TemporaryDirectory();
        var store = Path.Combine(directory.Path, "none");

        var result = await Tool.TryRunAsync(MillraceProcess.Program, ["store", "verify", "--store", $"file://{store}"]);

        Assert.Equal(NotFound, result.ExitCode);
        Assert.Contains(store, result.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(store));
    }

    private async Task<ToolResult> RunAsync(string input, params string[] arguments)
    {
        var result = await Tool.TryRunAsync(MillraceProcess.Program, [.. arguments, "-b", broker.BootstrapServers], input);
        Assert.True(result.ExitCode == 0, $"millrace {string.Join(' ', arguments)} ended with {result.ExitCode}:\n{result.Errors}");
        return result;
    }
}
