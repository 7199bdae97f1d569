using Millrace.Broker.Partitions.Lookup;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Broker.Partitions.Lookup;

public sealed class LeaderEpochsTests
{
    // Epoch 4 wrote nothing.
    private static readonly EpochStart[] Epochs = [At(2, 10), At(3, 20), At(4, 50), At(6, 50)];

    [Theory]
    [InlineData(6, 6, 90)]
    [InlineData(7, -1, -1)]
    [InlineData(-1, -1, -1)]
    [InlineData(5, 3, 50)]
    [InlineData(4, 3, 50)]
    [InlineData(3, 3, 50)]
    [InlineData(2, 2, 20)]
    [InlineData(1, 1, 10)]
    [InlineData(0, 0, 10)]
    public void An_epoch_ends_where_the_next_one_that_wrote_began(int requested, int epoch, long endOffset) =>
        Assert.Equal((epoch, endOffset), LeaderEpochs.EndOf(Epochs, logStart: 10, logEnd: 90, requested));

    [Theory]
    [InlineData(6, 6, 90)]
    [InlineData(3, 3, 50)]
    [InlineData(2, 2, 30)]
    [InlineData(1, 1, 30)]
    public void Epochs_that_ended_below_the_log_start_are_forgotten(int requested, int epoch, long endOffset) =>
        Assert.Equal((epoch, endOffset), LeaderEpochs.EndOf(Epochs, logStart: 30, logEnd: 90, requested));

    [Theory]
    [InlineData(6, 6, 90)]
    [InlineData(3, 3, 90)]
    public void Of_an_emptied_log_only_the_current_epoch_is_left(int requested, int epoch, long endOffset) =>
        Assert.Equal((epoch, endOffset), LeaderEpochs.EndOf(Epochs, logStart: 90, logEnd: 90, requested));

    [Theory]
    [InlineData(9, -1)]
    [InlineData(10, 2)]
    [InlineData(49, 3)]
    [InlineData(50, 6)]
    [InlineData(80, 6)]
    public void An_offset_lies_in_the_last_epoch_that_began_by_then(long offset, int epoch) =>
        Assert.Equal(epoch, LeaderEpochs.Of(Epochs, offset));

    private static EpochStart At(int epoch, long offset) => new(new StreamEpoch(epoch), offset);
}
