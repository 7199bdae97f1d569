using Millrace.Streams;
using Millrace.Streams.State;
using Xunit;

namespace Millrace.Tests.Streams.State;

public sealed class CheckpointDebtTests
{
    private readonly CheckpointDebt _debt = new(committed: 5, lastBytes: 100, bytesSince: 0);

    [Fact]
    public void One_is_due_once_as_many_bytes_have_come_as_the_last_one_took()
    {
        _debt.OnAppended(99);
        Assert.False(_debt.IsDue);
        _debt.OnAppended(1);
        Assert.True(_debt.IsDue);

        _debt.OnTaken(300);
        Assert.Equal((0, false), (_debt.BytesSince, _debt.IsDue));
        _debt.OnAppended(299);
        Assert.False(_debt.IsDue);
    }

    [Fact]
    public void What_lies_behind_it_when_the_stream_opens_counts()
    {
        var debt = new CheckpointDebt(committed: 5, lastBytes: 100, bytesSince: 99);
        Assert.False(debt.IsDue);
        debt.OnAppended(1);
        Assert.True(debt.IsDue);
    }

    [Fact]
    public void Whoever_wants_one_makes_it_due_and_hears_when_it_is_committed()
    {
        Assert.True(_debt.Covers(5));
        Assert.False(_debt.Covers(6));
        var (soon, later) = (_debt.Want(6), _debt.Want(8));
        Assert.True(_debt.IsDue);

        _debt.OnTaken(10);
        Assert.False(_debt.IsWanted);
        _debt.OnCommitted(7);
        Assert.True(soon.IsCompletedSuccessfully);
        Assert.False(later.IsCompleted);
        Assert.True(_debt.Covers(7));
    }

    [Fact]
    public void One_that_may_have_gone_astray_is_wanted_again_by_those_who_wait()
    {
        Assert.False(_debt.WantAgain());
        _debt.Want(6);
        _debt.OnTaken(10);
        Assert.True(_debt.WantAgain());
        Assert.True(_debt.IsDue);
        _debt.OnCommitted(6);
        Assert.False(_debt.IsWanted);
    }

    [Fact]
    public async Task A_stream_that_ends_owes_nobody()
    {
        var waiting = _debt.Want(6);
        _debt.Fail(new StreamException(StreamError.Closed, "ended"));
        Assert.Equal(StreamError.Closed, (await Assert.ThrowsAsync<StreamException>(() => waiting)).Error);
    }
}
