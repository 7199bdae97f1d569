using Xunit;

namespace Millrace.Tests.Clients;

/// <summary><c>millrace topic list</c> by names and patterns.</summary>
[Collection(CommandLineTestGroup.Name)]
public sealed class TopicListTests(SharedBroker broker)
{
    private readonly Shell _shell = new(broker.BootstrapServers);

    [Theory]
    [InlineData("listed-*", "listed-a listed-b2 listed-bb")]
    [InlineData("listed-b?", "listed-b2 listed-bb")]
    [InlineData("listed-a listed-bb", "listed-a listed-bb")]
    [InlineData("LISTED-*", "")]
    [InlineData("listed", "")]
    [InlineData("__listed*", "__listed")]
    [InlineData("*listed", "")]
    [InlineData("*listed --internal", "__listed")]
    public async Task Topics_are_listed_whose_names_match_a_shells_patterns(string patterns, string expected)
    {
        await _shell.RunAsync("topic create listed-a listed-b2 listed-bb __listed -p 1 --if-not-exists");

        var listed = await _shell.RunAsync($"topic list {patterns}");

        Assert.Equal(expected, string.Join(' ', listed.Lines.Select(line => line.Split('\t')[0])));
        Assert.Equal(expected.Length == 0, listed.Errors.StartsWith("No topic is called", StringComparison.Ordinal));
    }
}
