using Xunit;

namespace Millrace.Tests.Clients;

/// <summary><c>millrace topic list</c> by names and patterns, and what <c>partition list</c> has in common with it.</summary>
[Collection(CommandLineTestGroup.Name)]
public sealed class TopicListTests(SharedBroker broker)
{
    private readonly Shell _shell = new(broker.BootstrapServers);

    [Theory]
    [InlineData("", false)]
    [InlineData("--internal", true)]
    [InlineData("--topic __parts", true)]
    [InlineData("--unavailable", false)]
    public async Task Partitions_of_internal_topics_are_listed_for_who_asks_for_them(string options, bool areInternal)
    {
        await _shell.RunAsync("topic create parts __parts -p 2 --if-not-exists");

        var listed = (await _shell.RunAsync($"partition list {options}".TrimEnd())).Lines.Select(line => line.Split('\t')[0]).ToList();

        Assert.Equal(areInternal ? 2 : 0, listed.Count(topic => topic == "__parts"));
        Assert.Equal(options is "" or "--internal" ? 2 : 0, listed.Count(topic => topic == "parts"));
    }

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
