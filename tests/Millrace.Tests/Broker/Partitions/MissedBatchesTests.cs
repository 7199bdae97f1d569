using Millrace.Broker.Partitions.Producers;
using Xunit;

namespace Millrace.Tests.Broker.Partitions;

public sealed class MissedBatchesTests
{
    private const long Pid = 7;
    private readonly MissedBatches _missed = new();

    [Fact]
    public void A_producer_that_has_missed_nothing_may_begin_anywhere() => Assert.True(_missed.TryBegin(Pid, 0, 500));

    [Theory]
    [InlineData(0, 3)]
    [InlineData(int.MaxValue, 0)]
    [InlineData(int.MaxValue - 1, 4)]
    public void What_comes_behind_the_missed_batch_waits_for_it(int missed, int behind)
    {
        _missed.Add(Pid, 0, missed);
        _missed.Add(Pid, 0, behind);

        Assert.False(_missed.TryBegin(Pid, 0, behind));
        Assert.True(_missed.TryBegin(Pid, 0, missed));
    }

    [Fact]
    public void What_comes_before_the_missed_batch_does_not_wait_for_it()
    {
        _missed.Add(Pid, 0, 3);
        Assert.True(_missed.TryBegin(Pid, 0, 0));
    }

    [Fact]
    public void Once_the_producer_has_begun_nothing_is_missed_any_more()
    {
        _missed.Add(Pid, 0, 3);
        Assert.True(_missed.TryBegin(Pid, 0, 3));
        Assert.True(_missed.TryBegin(Pid, 0, 500));
    }

    [Fact]
    public void Other_producers_and_epochs_are_not_held_up()
    {
        _missed.Add(Pid, 0, 0);
        Assert.True(_missed.TryBegin(Pid, 1, 3));
        Assert.True(_missed.TryBegin(Pid + 1, 0, 3));
    }

    [Fact]
    public void Producers_that_never_come_again_are_forgotten()
    {
        for (var id = 0L; id <= MissedBatches.MaxProducers; id++)
        {
            _missed.Add(id, 0, 0);
        }

        Assert.True(_missed.TryBegin(0, 0, 3));
        Assert.False(_missed.TryBegin(MissedBatches.MaxProducers, 0, 3));
    }
}
