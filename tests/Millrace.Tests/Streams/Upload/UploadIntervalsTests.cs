using Millrace.Streams;
using Millrace.Streams.Upload;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

/// <summary>How long records wait for their upload.</summary>
public sealed class UploadIntervalsTests
{
    private const int MiB = 1 << 20;

    [Theory]
    [InlineData(0, 0, 10)]
    [InlineData(500, 0, 10)]
    [InlineData(1_000, 0, 20)]
    [InlineData(3_000, 0, 60)]
    [InlineData(100_000, 0, 60)]
    [InlineData(1_500, 31 * MiB, 20.08)]
    [InlineData(500, 31 * MiB, 10)]
    public void It_is_longer_the_more_streams_have_little_and_never_longer_than_its_limit(int streams, long bytes, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), UploadIntervals.Of(new StreamsOptions(), streams, bytes));

    [Fact]
    public void It_is_always_the_shortest_where_the_limit_is_no_longer() =>
        Assert.Equal(
            TimeSpan.FromSeconds(90),
            UploadIntervals.Of(new StreamsOptions { UploadInterval = TimeSpan.FromSeconds(90), UploadIntervalLimit = TimeSpan.FromSeconds(60) }, 100_000, 0));
}
