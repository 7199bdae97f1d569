using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Producers;
using Xunit;

namespace Millrace.Tests.Broker.Partitions;

public sealed class PartitionCheckpointTests
{
    // Version 1: one producer 0x0102 of epoch 5, last seen at 0x0304, with two batches.
    private const string Golden =
        "01" + "01000000" +
        "0201000000000000" + "0403000000000000" + "0500" + "02" +
        "00000000" + "09000000" + "6400000000000000" + "E803000000000000" +
        "0A000000" + "00000000" + "6E00000000000000" + "FFFFFFFFFFFFFFFF";

    [Fact]
    public void Its_bytes_are_those_of_version_1()
    {
        var producers = new ProducerState();
        producers.Append(0x0102, 5, new ProducerBatch(0, 9, 100, 1000), now: 0x0304);
        producers.Append(0x0102, 5, new ProducerBatch(10, 0, 110, -1), now: 0x0304);

        Assert.Equal(Golden, Convert.ToHexString(PartitionCheckpoint.Write(producers)));
    }

    [Fact]
    public void It_reads_version_1()
    {
        var producers = PartitionCheckpoint.Read(Convert.FromHexString(Golden));

        Assert.Equal(1, producers.Count);
        Assert.Equal(ProducerVerdict.Duplicate, producers.Check(0x0102, 5, 10, 0, out var original));
        Assert.Equal(new ProducerBatch(10, 0, 110, -1), original);
    }

    [Fact]
    public void A_state_without_producers_is_five_bytes() =>
        Assert.Equal("0100000000", Convert.ToHexString(PartitionCheckpoint.Write(new ProducerState())));

    [Fact]
    public void An_unknown_version_is_refused()
    {
        var bytes = Convert.FromHexString(Golden);
        bytes[0] = 2;

        Assert.Throws<InvalidDataException>(() => PartitionCheckpoint.Read(bytes));
    }

    [Fact]
    public void Every_prefix_is_refused()
    {
        var bytes = Convert.FromHexString(Golden);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => PartitionCheckpoint.Read(bytes.AsSpan(0, length)));
        }
    }

    [Fact]
    public void A_count_beyond_the_bytes_is_refused()
    {
        var bytes = Convert.FromHexString(Golden);
        bytes[4] = 0x7F;

        Assert.Throws<InvalidDataException>(() => PartitionCheckpoint.Read(bytes));
    }
}
