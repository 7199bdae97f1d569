using Millrace.Server.Options;
using Xunit;

namespace Millrace.Tests.Server.Options;

public sealed class SuggestionTests
{
    private static readonly string[] Known = ["listeners", "log.retention.bytes", "log.retention.ms", "log.segment.bytes", "node.id"];

    [Theory]
    [InlineData("listenrs", " Did you mean 'listeners'?")]
    [InlineData("retentionn", " There is log.retention.bytes, log.retention.ms.")]
    [InlineData("retention.mss", " There is log.retention.ms.")]
    [InlineData("ms", " There is log.retention.ms.")]
    [InlineData("xy", "")]
    [InlineData("compression", "")]
    public void A_name_with_dots_is_found_by_one_that_is_near_or_has_a_part_that_is(string given, string said) =>
        Assert.Equal(said, Suggestion.OfParts(given, Known));

    [Fact]
    public void Of_many_names_some_are_told() =>
        Assert.EndsWith(
            "a.part.7 and 2 more.", Suggestion.OfParts("parts", Enumerable.Range(0, 10).Select(number => $"a.part.{number}")), StringComparison.Ordinal);
}
