using System.CommandLine;
using System.CommandLine.Parsing;
using Millrace.Server;
using Millrace.Server.Cli.Help;
using Xunit;

namespace Millrace.Tests.Server.Cli.Help;

public sealed class HelpTests
{
    [Fact]
    public void The_help_of_every_command_shows_its_examples()
    {
        foreach (var (path, command) in CommandTree.All())
        {
            var examples = HelpWithExamples.ExamplesOf(command);
            var help = Help([.. path, "--help"]);

            Assert.True(examples.Count > 0, $"millrace {string.Join(' ', path)} has no example");
            Assert.All(examples, example => Assert.Contains($"  {example.Line}\n      {example.Meaning}\n", help, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_example_is_a_command_line_that_is_understood_and_that_uses_the_command()
    {
        foreach (var (path, command) in CommandTree.All())
        {
            foreach (var example in HelpWithExamples.ExamplesOf(command))
            {
                var uses = Uses(example.Line).Select(MillraceCommand.Parse).ToList();

                Assert.All(uses, use => Assert.Empty(use.Errors));
                Assert.True(
                    uses.Exists(use => CommandTree.PathOf(use).Take(path.Length).SequenceEqual(path)),
                    $"The example '{example.Line}' does not use millrace {string.Join(' ', path)}");
            }
        }
    }

    [Fact]
    public void A_command_without_its_subcommand_shows_examples_too() =>
        Assert.Contains("Examples:\n  millrace topic list\n", Help(["topic"]), StringComparison.Ordinal);

    private static string Help(string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        MillraceCommand.Parse(arguments).Invoke(new InvocationConfiguration { Output = output, Error = errors });
        return output.ToString();
    }

    // The arguments of each call of the program in a shell's line.
    private static IEnumerable<string[]> Uses(string line) => line
        .Split(['|', '>', '<', '(', ')'], StringSplitOptions.TrimEntries)
        .Where(part => part.StartsWith("millrace ", StringComparison.Ordinal))
        .Select(part => CommandLineParser.SplitCommandLine(part).Skip(1).ToArray());
}
