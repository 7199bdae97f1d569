using System.Text.RegularExpressions;
using Xunit;

namespace Millrace.Tests.Architecture;

/// <summary>Operators find events by their ids, and the ration of lines that a log may have counts by them.</summary>
public sealed partial class LogEventTests
{
    [Fact]
    public void Every_event_of_the_log_has_an_id_of_its_own()
    {
        var source = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText);
        var events = source.SelectMany(text => Event().Matches(text)).Select(found => found.Groups["id"].Value).ToList();

        Assert.NotEmpty(events);
        Assert.DoesNotContain("", events);
        Assert.Equal(events.Distinct().Order(), events.Order());
    }

    [GeneratedRegex(@"\[LoggerMessage\(\s*(EventId = (?<id>\d+))?")]
    private static partial Regex Event();
}
