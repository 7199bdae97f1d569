using System.Diagnostics;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary><c>millrace group seek</c>, and what the group's next member reads.</summary>
[Collection(CommandLineTestGroup.Name)]
public sealed class GroupSeekTests(SharedBroker broker)
{
    private const int Failed = 1;
    private const int Usage = 2;
    private const int NotFound = 3;

    private readonly Shell _shell = new(broker.BootstrapServers);

    [Fact]
    public async Task A_group_goes_on_where_it_was_sent()
    {
        await FillAsync("seek-to");

        Assert.Equal(["seek-to\tseek-to\t0\t5\t0"], (await _shell.RunAsync("group seek seek-to --all-topics --to earliest --dry-run")).Lines);
        Assert.Empty(await ReadAsync("seek-to"));
        Assert.Equal(["seek-to\tseek-to\t0\t5\t3"], (await _shell.RunAsync("group seek seek-to --topic seek-to --shift -2")).Lines);
        Assert.Equal(["3", "4"], await ReadAsync("seek-to"));
        Assert.Equal(["seek-to\tseek-to\t0\t5\t1"], (await _shell.RunAsync("group reset seek-to --topic seek-to:0 --to 1")).Lines);
        Assert.Equal(["1", "2", "3", "4"], await ReadAsync("seek-to"));
        Assert.Equal(["seek-to\tseek-to\t0\t5\t2"], (await _shell.RunAsync("group seek seek-to --all-topics --to @1700000000002")).Lines);
        Assert.Equal(["2", "3", "4"], await ReadAsync("seek-to"));
        // All were written long before the last hour.
        Assert.Equal(["seek-to\tseek-to\t0\t5\t5"], (await _shell.RunAsync("group seek seek-to --all-topics --back PT1H")).Lines);
    }

    [Fact]
    public async Task Offsets_come_from_a_file()
    {
        await FillAsync("seek-file");
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "offsets.csv");
        await File.WriteAllTextAsync(file, "seek-file,0,4\n", TestContext.Current.CancellationToken);

        await _shell.RunAsync($"group seek seek-file --file {file}");

        Assert.Equal(["4"], await ReadAsync("seek-file"));
    }

    [Fact]
    public async Task What_cannot_be_read_is_not_set_and_said_so()
    {
        await FillAsync("seek-clamp");

        var moved = await _shell.RunAsync("group seek seek-clamp --all-topics --to 99");

        Assert.Equal(["seek-clamp\tseek-clamp\t0\t5\t5"], moved.Lines);
        Assert.Contains("seek-clamp-0 has offsets from 0 to 5", moved.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_with_members_stays_where_it_is()
    {
        await FillAsync("seek-member");
        await _shell.RunAsync("group seek seek-member --all-topics --to earliest");
        using var member = Process.Start(new ProcessStartInfo(
            MillraceProcess.Program, ["consume", "seek-member", "--group", "seek-member", "-b", broker.BootstrapServers])
        {
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("0", await member.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        var refused = await _shell.TryAsync("group seek seek-member --all-topics --to earliest");

        Assert.Equal(Failed, refused.ExitCode);
        Assert.Contains("Group 'seek-member' has members, 1 (Stable)", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("Stop them first", refused.Errors, StringComparison.Ordinal);
        await Tool.RunAsync("kill", ["-INT", $"{member.Id}"]);
        await member.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_group_that_is_not_there_begins_where_it_is_told_to_and_is_said_to_be_new()
    {
        await FillAsync("seek-new");

        var made = await _shell.RunAsync("group seek seek-new-group --topic seek-new --to 2");

        Assert.Equal(["seek-new-group\tseek-new\t0\t-\t2"], made.Lines);
        Assert.Contains("There was no group 'seek-new-group'", made.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Usage, "seek-wrong --to earliest", "Say in which topics")]
    [InlineData(Usage, "seek-wrong --topic seek-wrong", "Say where to")]
    [InlineData(Usage, "seek-wrong --topic seek-wrong --to latest --shift 1", "Say where to")]
    [InlineData(Usage, "seek-wrong --topic seek-wrong --back 1h", "PT1H30M")]
    [InlineData(Usage, "seek-wrong --file /no/such/file", "--file cannot be read")]
    [InlineData(NotFound, "seek-wrong --topic seek-wrong:1 --to latest", "has no partition 1; it has 1")]
    [InlineData(NotFound, "seek-wrong --topic seek-missing --to latest", "seek-missing")]
    [InlineData(NotFound, "seek-missing --all-topics --to latest", "There is no group 'seek-missing'")]
    [InlineData(Failed, "seek-none --topic seek-wrong --shift 1", "seek-wrong-0 has no committed offset to shift")]
    public async Task What_cannot_be_done_is_said_and_changes_nothing(int exitCode, string arguments, string said)
    {
        await _shell.RunAsync("topic create seek-wrong -p 1 --if-not-exists");

        var refused = await _shell.TryAsync($"group seek {arguments}");

        Assert.Equal(exitCode, refused.ExitCode);
        Assert.Contains(said, refused.Errors, StringComparison.Ordinal);
        Assert.Equal("", refused.Output);
    }

    // Five records, 0 to 4, a millisecond apart, all of them read by a group of the topic's name.
    private async Task FillAsync(string topic)
    {
        await _shell.RunAsync($"topic create {topic} -p 1 -c retention.ms=-1");
        var lines = Enumerable.Range(0, 5).Select(i => $$"""{"value":"{{i}}","timestamp":{{1_700_000_000_000 + i}}}""");
        await _shell.RunAsync($"produce {topic} --format json", string.Join('\n', lines) + "\n");
        Assert.Equal(5, (await ReadAsync(topic)).Length);
    }

    private async Task<string[]> ReadAsync(string topic) => (await _shell.RunAsync($"consume {topic} --group {topic} --exit")).Lines;
}
