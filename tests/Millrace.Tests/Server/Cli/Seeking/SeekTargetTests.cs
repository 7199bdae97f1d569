using Confluent.Kafka;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Seeking;
using Xunit;

namespace Millrace.Tests.Server.Cli.Seeking;

public sealed class SeekTargetTests
{
    private static readonly SeekPosition Position = new(new TopicPartition("t", 3), Committed: 50, Earliest: 10, Latest: 100, AtTime: 70);

    [Theory]
    [InlineData("earliest", 10)]
    [InlineData("start", 10)]
    [InlineData("latest", 100)]
    [InlineData("end", 100)]
    [InlineData("42", 42)]
    [InlineData("@2023-11-14T22:13:20Z", 70)]
    [InlineData("@1700000000000", 70)]
    public void A_place_is_found_in_each_partition(string text, long expected) =>
        Assert.Equal((expected, false), SeekTarget.To(text).Choose(Position));

    [Theory]
    [InlineData("5", 10)]
    [InlineData("101", 100)]
    public void What_cannot_be_read_is_clamped_and_said_to_be(string text, long expected) =>
        Assert.Equal((expected, true), SeekTarget.To(text).Choose(Position));

    [Theory]
    [InlineData(7, 57, false)]
    [InlineData(-7, 43, false)]
    [InlineData(-41, 10, true)]
    [InlineData(long.MaxValue, 100, true)]
    [InlineData(long.MinValue, 10, true)]
    public void A_shift_counts_from_the_commit(long records, long expected, bool isClamped) =>
        Assert.Equal((expected, isClamped), SeekTarget.Shift(records).Choose(Position));

    [Fact]
    public void Without_a_commit_there_is_nothing_to_shift()
    {
        var refusal = Assert.Throws<CommandFailedException>(() => SeekTarget.Shift(1).Choose(Position with { Committed = null }));

        Assert.Contains("t-3 has no committed offset", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_nothing_is_that_young_what_comes_next_is_the_first() =>
        Assert.Equal((100, false), SeekTarget.To("@1700000000000").Choose(Position with { AtTime = null }));

    [Theory]
    [InlineData("@2023-11-14T22:13:20Z", 1_700_000_000_000)]
    [InlineData("@2023-11-14T23:13:20+01:00", 1_700_000_000_000)]
    [InlineData("@2023-11-14T22:13:20", 1_700_000_000_000)]
    [InlineData("@1700000000000", 1_700_000_000_000)]
    public void A_time_is_of_its_zone_and_else_of_UTC(string text, long expected) => Assert.Equal(expected, SeekTarget.To(text).Time);

    [Theory]
    [InlineData("PT90S", 90)]
    [InlineData("PT1H30M", 5400)]
    [InlineData("P7D", 604_800)]
    public void A_duration_goes_back_from_now(string duration, long seconds)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

        Assert.Equal((1_700_000_000 - seconds) * 1000, SeekTarget.Back(duration, now).Time);
    }

    [Theory]
    [InlineData("1h")]
    [InlineData("-PT1H")]
    [InlineData("P99999999D")]
    [InlineData("")]
    public void What_is_no_duration_is_refused_with_some_that_are(string duration)
    {
        var refusal = Assert.Throws<CommandFailedException>(() => SeekTarget.Back(duration, DateTimeOffset.UnixEpoch));

        Assert.Equal(ExitCode.Usage, refusal.ExitCode);
        Assert.Contains("PT1H30M", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("first")]
    [InlineData("-5")]
    [InlineData("@yesterday")]
    public void What_is_no_place_is_refused(string text) =>
        Assert.Equal(ExitCode.Usage, Assert.Throws<CommandFailedException>(() => SeekTarget.To(text)).ExitCode);
}
