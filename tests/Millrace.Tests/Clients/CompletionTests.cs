using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>The scripts of <c>millrace completion</c>, run by the shells they are for.</summary>
[Collection(CommandLineTestGroup.Name)]
public sealed class CompletionTests(SharedBroker broker)
{
    private readonly Shell _shell = new(broker.BootstrapServers);

    [Theory]
    [InlineData("millrace topi", "topic")]
    [InlineData("millrace topic de", "delete describe")]
    [InlineData("millrace consume x --of", "--offset")]
    [InlineData("millrace start --log-format ", "Json Text")]
    [InlineData("millrace broker r", "remove")]
    [InlineData("millrace dev cluster --wal ", "file object")]
    [InlineData("millrace topic describe completed-", "completed-one completed-two")]
    [InlineData("/some/path/millrace topic describe completed-o", "completed-one")]
    public async Task Bash_completes_commands_options_values_and_topics(string line, string expected)
    {
        await MakeTopicsAsync();
        const string script = """
            source <(millrace completion bash)
            COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDS=(millrace)
            [[ $1 == /* ]] && COMP_WORDS=("${1%% *}") && eval "function ${1%% *} { millrace \"\$@\"; }"
            _millrace
            echo "${COMPREPLY[*]}"
            """;

        Assert.Equal(expected, await CompleteAsync("bash", script, line));
    }

    [Theory]
    [InlineData("millrace topi", "topic")]
    [InlineData("millrace topic de", "delete describe")]
    [InlineData("millrace consume x --of", "--offset")]
    [InlineData("millrace topic describe completed-", "completed-one completed-two")]
    public async Task Fish_completes_commands_options_and_topics(string line, string expected)
    {
        Assert.SkipUnless(Tool.IsInstalled("fish"), "fish is not installed");
        await MakeTopicsAsync();

        Assert.Equal(expected, await CompleteAsync("fish", "millrace completion fish | source; complete -C $argv[2]", line));
    }

    [Fact]
    public async Task Without_a_broker_what_the_program_knows_by_itself_is_completed()
    {
        var result = await Tool.TryRunAsync(
            MillraceProcess.Program, ["[suggest:24]", "millrace topic describe "], environment: [("MILLRACE_BOOTSTRAP", "127.0.0.1:1")]);

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("--configs", result.Lines);
        Assert.Equal("", result.Errors);
    }

    private async Task<string> CompleteAsync(string shell, string script, string line)
    {
        var result = await Tool.TryRunAsync(shell, ["-c", script, shell, line], environment: _shell.Environment);
        Assert.True(result.ExitCode == 0, result.Errors);
        return string.Join(' ', result.Output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    private Task MakeTopicsAsync() => _shell.RunAsync("topic create completed-one completed-two -p 1 --if-not-exists");
}
