using Millrace.Server;
using Millrace.Server.Cli;
using Xunit;

namespace Millrace.Tests.Server.Cli;

public sealed class UsageErrorsTests
{
    [Theory]
    [InlineData("topic lst", "Unrecognized command or argument 'lst'. Did you mean 'list'?")]
    [InlineData("start --stoer file:///x", "Unrecognized command or argument '--stoer'. Did you mean '--store'?")]
    [InlineData("topic create t --partitions abc", "Cannot parse argument 'abc' for option '--partitions'.")]
    [InlineData("produce t -z bzip", "Cannot parse argument 'bzip' for option '--compression'. It takes one of gzip, lz4, none, snappy, zstd.")]
    public void A_mistake_is_told_in_a_line(string arguments, string expected) => Assert.Equal(expected, Describe(arguments)[0]);

    [Theory]
    [InlineData("topic trim t", "`millrace topic trim --help` says what it takes.")]
    [InlineData("nothing", "`millrace --help` says what it takes.")]
    public void The_advice_names_the_help_of_the_command(string arguments, string expected) =>
        Assert.Equal(expected, UsageErrors.Advise(MillraceCommand.Parse(arguments.Split(' '))));

    [Theory]
    [InlineData("topic create orders --partitons 3", "Unrecognized command or argument '--partitons'. Did you mean '--partitions'?")]
    [InlineData("topic delete orders --yes", "Unrecognized command or argument '--yes'.")]
    [InlineData("consume -q orders", "Unrecognized command or argument '-q'.")]
    public void What_looks_like_an_option_is_no_name(string arguments, string expected) => Assert.Equal(expected, Assert.Single(Describe(arguments)));

    [Theory]
    [InlineData("topic create orders -- --odd -x")]
    [InlineData("consume orders --offset -5")]
    [InlineData("group seek g --topic t --shift -5")]
    [InlineData("produce orders -k -")]
    public void What_is_no_option_may_begin_like_one(string arguments) => Assert.Empty(MillraceCommand.Parse(arguments.Split(' ')).Errors);

    [Fact]
    public void A_time_to_consume_from_is_not_taken_for_a_file_of_arguments() =>
        Assert.Empty(MillraceCommand.Parse(["consume", "t", "--offset", "@2023-11-14T22:13:20Z"]).Errors);

    [Theory]
    [InlineData("topic", true)]
    [InlineData("topic lst", false)]
    public void Only_a_command_without_its_subcommand_is_answered_with_help(string arguments, bool expected) =>
        Assert.Equal(expected, UsageErrors.IsUnfinished(MillraceCommand.Parse(arguments.Split(' '))));

    private static string[] Describe(string arguments) => [.. UsageErrors.Describe(MillraceCommand.Parse(arguments.Split(' ')))];
}
