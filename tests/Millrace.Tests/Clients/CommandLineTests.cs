using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Millrace.Server.Cli;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>The program's own commands, as a shell runs them.</summary>
[Collection(CommandLineTestGroup.Name)]
public sealed class CommandLineTests(SharedBroker broker)
{
    private const int Failed = 1;
    private const int Usage = 2;
    private const int NotFound = 3;
    private const int Unreachable = 5;
    private const int TimedOut = 10;

    [Fact]
    public async Task Records_go_through_a_pipe_as_they_are()
    {
        const string lines = """
            {"key":"k","value":null,"headers":[["h","1"],["h","2"]],"partition":0,"timestamp":1700000000000}
            {"key":null,"value":{"base64":"/wD+DQ=="},"headers":[],"partition":0,"timestamp":1700000000001}

            """;
        // Its records are years old.
        await RunAsync("", "topic", "create", "cli-copy", "-p", "1", "-c", "retention.ms=-1");
        await RunAsync(lines, "produce", "cli-copy", "--format", "json");
        var first = await RunAsync("", "consume", "cli-copy", "--exit", "--json");

        await RunAsync(first.Output, "produce", "cli-copy", "--format", "json");

        var copy = await RunAsync("", "consume", "cli-copy", "--exit", "--json", "--offset", "2");
        Assert.Equal(2, first.Lines.Length);
        Assert.Equal(
            first.Output
                .Replace("\"offset\":0", "\"offset\":2", StringComparison.Ordinal)
                .Replace("\"offset\":1,", "\"offset\":3,", StringComparison.Ordinal),
            copy.Output);
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
    [InlineData("topic list")]
    [InlineData("topic trim t --before end")]
    [InlineData("group list")]
    [InlineData("produce t")]
    [InlineData("consume t")]
    public async Task Who_takes_connections_and_says_nothing_is_told_from_who_is_not_there(string command)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();

        var result = await Tool.TryRunAsync(MillraceProcess.Program, [.. command.Split(' '), "--timeout", "3", "-b", $"{silent.LocalEndpoint}"], "x\n");

        Assert.Equal(TimedOut, result.ExitCode);
        Assert.Contains($"{silent.LocalEndpoint} takes connections and does not answer", result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("No broker", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_that_neither_takes_nor_refuses_connections_is_waited_for_as_long_as_a_command_may()
    {
        // Its backlog is full.
        using var busy = new TcpListener(IPAddress.Loopback, 0);
        busy.Start(0);
        var waiting = Enumerable.Range(0, 8).Select(_ => new TcpClient()).ToList();
        waiting.ForEach(client => _ = client.ConnectAsync((IPEndPoint)busy.LocalEndpoint).ContinueWith(static _ => { }, TaskScheduler.Default));

        var result = await Tool.TryRunAsync(MillraceProcess.Program, ["topic", "list", "--timeout", "10", "-b", $"{busy.LocalEndpoint}"]);

        Assert.Equal(Unreachable, result.ExitCode);
        Assert.Contains("takes no connection and refuses none. Waiting.", result.Errors, StringComparison.Ordinal);
        waiting.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Producing_to_a_topic_that_is_not_there_makes_it_only_when_told_to()
    {
        await RunAsync("", "topic", "create", "cli-colour", "-p", "1");

        var refused = await Tool.TryRunAsync(MillraceProcess.Program, ["produce", "cli-color", "-b", broker.BootstrapServers], "x\n");
        var partition = await Tool.TryRunAsync(MillraceProcess.Program, ["produce", "cli-colour", "-p", "7", "-b", broker.BootstrapServers], "x\n");

        Assert.Equal((NotFound, NotFound), (refused.ExitCode, partition.ExitCode));
        Assert.Contains("There is no topic 'cli-color'. Did you mean 'cli-colour'?", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("has no partition 7; it has 1.", partition.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("cli-color\t", (await RunAsync("", "topic", "list")).Output, StringComparison.Ordinal);
        await RunAsync("x\n", "produce", "cli-created", "--create");
        Assert.Equal("x\n", (await RunAsync("", "consume", "cli-created", "--exit")).Output);
    }

    [Fact]
    public async Task A_line_that_is_no_record_ends_produce_with_how_far_it_came()
    {
        await RunAsync("", "topic", "create", "cli-bad-line", "-p", "3");

        var result = await Tool.TryRunAsync(
            MillraceProcess.Program, ["produce", "cli-bad-line", "-k", ":", "-b", broker.BootstrapServers], "k:1\nk:2\nbad\nk:4\n");

        Assert.Equal(Usage, result.ExitCode);
        Assert.Contains("Line 3 has no key", result.Errors, StringComparison.Ordinal);
        Assert.Contains("Of 2 records sent, 2 are acknowledged.", result.Errors, StringComparison.Ordinal);
        Assert.Equal("1\n2\n", (await RunAsync("", "consume", "cli-bad-line", "--exit")).Output);
    }

    [Fact]
    public async Task A_line_that_is_no_JSON_is_told_with_its_place_and_so_is_a_record_before_it_that_was_refused()
    {
        await RunAsync("", "topic", "create", "cli-bad-json", "-c", "cleanup.policy=compact");

        var result = await Tool.TryRunAsync(
            MillraceProcess.Program,
            ["produce", "cli-bad-json", "--format", "json", "-b", broker.BootstrapServers],
            """
            {"value": "a compacted topic takes no record without a key"}
            {"key" "k"}

            """);

        Assert.Equal(Usage, result.ExitCode);
        Assert.Contains("Line 2 is not a record in JSON", result.Errors, StringComparison.Ordinal);
        Assert.Contains("""'"' cannot stand at character 8. Of 1 record sent, 0 are acknowledged. Line 1 is not: """, result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_that_is_too_long_for_the_client_ends_produce_with_how_far_it_came_and_what_helps()
    {
        await RunAsync("", "topic", "create", "cli-long-line");

        var result = await Tool.TryRunAsync(
            MillraceProcess.Program, ["produce", "cli-long-line", "-b", broker.BootstrapServers], $"short\n{new string('x', 1_100_000)}\n");

        Assert.Equal(Usage, result.ExitCode);
        Assert.Contains("Line 2 makes a record of over 1,000,000 bytes", result.Errors, StringComparison.Ordinal);
        Assert.Contains("Of 1 record sent, 1 is acknowledged.", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_without_a_partition_does_not_wait_for_the_end_for_ever()
    {
        await RunAsync("", "topic", "create", "cli-crowded", "-p", "1");
        using var first = Process.Start(new ProcessStartInfo(
            MillraceProcess.Program, ["consume", "cli-crowded", "--group", "cli-crowded", "-b", broker.BootstrapServers]) { RedirectStandardOutput = true })!;
        try
        {
            Assert.True(await Eventually.BecomesTrueAsync(async () =>
                (await Tool.TryRunAsync(MillraceProcess.Program, ["group", "describe", "cli-crowded", "--members", "-b", broker.BootstrapServers]))
                    .Output.Contains("cli-crowded-0", StringComparison.Ordinal)));

            var second = await Tool.TryRunAsync(
                MillraceProcess.Program, ["consume", "cli-crowded", "--group", "cli-crowded", "--exit", "--timeout", "5", "-b", broker.BootstrapServers]);

            // Whichever of the two has the partition: the one that is to reach the end either does or ends in time.
            Assert.Contains(second.ExitCode, (int[])[0, TimedOut]);
        }
        finally
        {
            first.Kill();
        }
    }

    [Fact]
    public async Task The_help_says_what_the_exit_codes_mean_as_the_documentation_does()
    {
        var help = await Tool.RunAsync(MillraceProcess.Program, ["--help"]);
        var documented = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "operations.md"), TestContext.Current.CancellationToken);

        Assert.All(ExitCode.All, item => Assert.Contains($"{item.Code,2}  {item.Meaning}\n", help, StringComparison.Ordinal));
        Assert.All(ExitCode.All, item => Assert.Contains($"| {item.Code} | {item.Meaning} |\n", documented, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(NotFound, "topic trim cli-missing --before end", "cli-missing")]
    [InlineData(NotFound, "topic trim cli-wrong --before end -p 7", "has no partition 7")]
    [InlineData(NotFound, "topic delete cli-wrongg", "There is no topic 'cli-wrongg'. Did you mean 'cli-wrong'? `millrace topic list`")]
    [InlineData(NotFound, "topic describe cli-wrongg", "There is no topic 'cli-wrongg'. Did you mean 'cli-wrong'?")]
    [InlineData(NotFound, "topic describe cli-wrongg --configs", "There is no topic 'cli-wrongg'. Did you mean 'cli-wrong'?")]
    [InlineData(NotFound, "topic alter cli-wrongg --set retention.ms=1", "There is no topic 'cli-wrongg'. Did you mean 'cli-wrong'?")]
    [InlineData(NotFound, "topic add-partitions cli-wrongg --to 2", "There is no topic 'cli-wrongg'. Did you mean 'cli-wrong'?")]
    [InlineData(NotFound, "group seek cli-nobody --topic cli-wrongg --to earliest", "There is no topic 'cli-wrongg'. Did you mean 'cli-wrong'?")]
    [InlineData(NotFound, "group delete cli-nobody", "There is no group 'cli-nobody'. `millrace group list`")]
    [InlineData(Usage, "topic create cli-value -c retention.ms=abc", "Not a number")]
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

    [Fact]
    public async Task Whoever_asks_for_log_cleaning_is_told_that_there_is_none()
    {
        var created = await RunAsync("", "topic", "create", "cli-compact", "-c", "cleanup.policy=compact");
        var altered = await RunAsync("", "topic", "alter", "cli-compact", "--set", "cleanup.policy=compact,delete", "--json");
        var other = await RunAsync("", "topic", "alter", "cli-compact", "--set", "cleanup.policy=delete");

        Assert.Contains("do not clean logs yet", created.Errors, StringComparison.Ordinal);
        Assert.StartsWith("{\"note\":\"cleanup.policy=compact: ", altered.Errors, StringComparison.Ordinal);
        Assert.Equal("", other.Errors);
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

    [Theory]
    [InlineData(true, "does not answer")]
    [InlineData(false, "onnection refused")]
    public async Task Verifying_a_store_that_is_away_ends_in_time_and_names_the_store(bool takesConnections, string said)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var store = $"s3://bucket/prefix?endpoint=http://{silent.LocalEndpoint}";
        if (!takesConnections)
        {
            silent.Stop();
        }

        var result = await Tool.TryRunAsync(
            MillraceProcess.Program,
            ["store", "verify", "--store", store, "--timeout", "1"],
            environment: [("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y")]);

        Assert.Equal(Unreachable, result.ExitCode);
        Assert.Contains(said, result.Errors, StringComparison.Ordinal);
        Assert.Contains("s3://bucket/prefix", result.Errors, StringComparison.Ordinal);
        Assert.Contains("--timeout", result.Errors, StringComparison.Ordinal);
    }

    private async Task<ToolResult> RunAsync(string input, params string[] arguments)
    {
        var result = await Tool.TryRunAsync(MillraceProcess.Program, [.. arguments, "-b", broker.BootstrapServers], input);
        Assert.True(result.ExitCode == 0, $"millrace {string.Join(' ', arguments)} ended with {result.ExitCode}:\n{result.Errors}");
        return result;
    }
}
