using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>What people see at a terminal, which a pipe never gets. <c>script</c> lends the terminal.</summary>
[Collection(CommandLineTestGroup.Name)]
public sealed class OutputOnTerminalTests(SharedBroker broker)
{
    [Theory]
    [InlineData("", "\e[1mTOPIC     PARTITIONS  REPLICAS\e[0m")]
    [InlineData("NO_COLOR=1", "TOPIC     PARTITIONS  REPLICAS")]
    [InlineData("TERM=dumb", "TOPIC     PARTITIONS  REPLICAS")]
    public async Task A_heading_is_bold_unless_colours_are_not_wanted(string environment, string expected)
    {
        await new Shell(broker.BootstrapServers).RunAsync("topic create terminal -p 1 --if-not-exists");

        Assert.Contains(expected + "\r\n", await ShowAsync(environment, "topic list terminal"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_is_red_and_in_a_pipe_plain()
    {
        Assert.Contains(
            "\e[31mmillrace:\e[0m There is no topic 'terminal-none'", await ShowAsync("", "topic describe terminal-none"), StringComparison.Ordinal);
        var piped = await new Shell(broker.BootstrapServers).TryAsync("topic describe terminal-none");
        Assert.StartsWith("millrace: There is no topic 'terminal-none'", piped.Errors, StringComparison.Ordinal);
    }

    private async Task<string> ShowAsync(string environment, string command)
    {
        var line = $"env -u NO_COLOR TERM=xterm {environment} {MillraceProcess.Program} {command} -b {broker.BootstrapServers}";
        return (await Tool.TryRunAsync("script", ["--quiet", "--command", line, "/dev/null"])).Output;
    }
}
