using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Broker.Partitions;

public sealed class RetentionPolicyTests
{
    private const long Now = 10_000;

    private static readonly StreamExtent[] Extents = [new(0, 10, 100, 1_000), new(10, 20, 100, 5_000), new(20, 30, 100, 9_000)];

    [Theory]
    [InlineData(-1, null)]
    [InlineData(100_000, null)]
    [InlineData(9_000, null)]
    [InlineData(8_999, 10L)]
    [InlineData(4_999, 20L)]
    [InlineData(0, 30L)]
    public void Pieces_older_than_retention_ms_go(long retentionMs, long? expected) =>
        Assert.Equal(expected, RetentionPolicy.NewLogStart(Extents, Settings(retentionMs, retentionBytes: -1), Now, highWatermark: 30));

    [Theory]
    [InlineData(-1, null)]
    [InlineData(300, null)]
    [InlineData(201, null)]
    [InlineData(200, 10L)]
    [InlineData(101, 10L)]
    [InlineData(100, 20L)]
    [InlineData(0, 30L)]
    public void Pieces_go_while_the_rest_still_fills_retention_bytes(long retentionBytes, long? expected) =>
        Assert.Equal(expected, RetentionPolicy.NewLogStart(Extents, Settings(retentionMs: -1, retentionBytes), Now, highWatermark: 30));

    [Fact]
    public void What_is_not_durable_stays() =>
        Assert.Equal(20, RetentionPolicy.NewLogStart(Extents, Settings(0, -1), Now, highWatermark: 29));

    [Fact]
    public void A_young_piece_protects_older_ones_behind_it()
    {
        StreamExtent[] extents = [new(0, 10, 100, 9_999), new(10, 20, 100, 1)];

        Assert.Null(RetentionPolicy.NewLogStart(extents, Settings(1_000, -1), Now, highWatermark: 20));
    }

    [Theory]
    [InlineData(9_000, null)]
    [InlineData(8_999, 10L)]
    [InlineData(0, 20L)]
    public void A_piece_without_timestamps_is_as_old_as_its_newest_append(long retentionMs, long? expected)
    {
        StreamExtent[] extents = [new(0, 10, 100, UntimedAge.Of(1_000)), new(10, 20, 100, UntimedAge.Of(5_000))];

        Assert.Equal(expected, RetentionPolicy.NewLogStart(extents, Settings(retentionMs, -1), Now, highWatermark: 20));
    }

    [Fact]
    public void A_piece_of_unknown_age_stays()
    {
        StreamExtent[] extents = [new(0, 10, 100, -1), new(10, 20, 100, 1)];

        Assert.Null(RetentionPolicy.NewLogStart(extents, Settings(1_000, -1), Now, highWatermark: 20));
    }

    [Fact]
    public void Compacted_topics_keep_everything() =>
        Assert.Null(RetentionPolicy.NewLogStart(Extents, Settings(0, 0) with { DeletesOldRecords = false }, Now, highWatermark: 30));

    private static TopicSettings Settings(long retentionMs, long retentionBytes)
    {
        var topic = new TopicImage(default, "t", 1, [], System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty);
        return TopicSettings.Of(PartitionsUnderTest.Configs, MetadataImage.Empty, topic) with
        {
            RetentionMs = retentionMs, RetentionBytes = retentionBytes,
        };
    }
}
