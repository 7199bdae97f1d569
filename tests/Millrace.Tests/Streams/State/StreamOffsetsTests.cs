using Millrace.Runtime;
using Millrace.Streams.State;
using Xunit;

namespace Millrace.Tests.Streams.State;

public sealed class StreamOffsetsTests
{
    private readonly StreamOffsets _offsets = new(start: 3, end: 10);

    [Fact]
    public void A_record_goes_from_step_to_step()
    {
        _offsets.Append(_offsets.EndOfNext(2), bytes: 7);
        Assert.Equal((10, 12), (_offsets.Confirmed, _offsets.Next));
        _offsets.TakeCut(11);
        Assert.True(_offsets.Confirm(12));
        _offsets.TakeCut(12);
        Assert.Equal(7, _offsets.UncommittedBytes);
        _offsets.Commit(11, bytes: 3);
        Assert.Equal(4, _offsets.UncommittedBytes);
        _offsets.Trim(11);
        _offsets.Trim(5);
        Assert.Equal((11, 11, 12, 12, 12), (_offsets.Start, _offsets.Uploaded, _offsets.Cut, _offsets.Confirmed, _offsets.Next));
    }

    [Fact]
    public void What_is_durable_already_is_no_news()
    {
        _offsets.Append(12, 1);
        Assert.True(_offsets.Confirm(12));
        Assert.False(_offsets.Confirm(11));
        Assert.Equal(12, _offsets.Confirmed);
    }

    [Fact]
    public void No_step_overtakes_the_one_before()
    {
        _offsets.Append(12, bytes: 7);
        _offsets.Confirm(11);
        _offsets.TakeCut(12);
        Assert.All(
            new Action[]
            {
                () => _offsets.Append(12, 0), () => _offsets.Confirm(13), () => _offsets.TakeCut(13), () => _offsets.TakeCut(11), () => _offsets.Commit(12, 0),
                () => _offsets.Commit(9, 0), () => _offsets.Commit(10, 8), () => _offsets.Trim(11),
            },
            step => Assert.Throws<InvariantViolationException>(step));
        Assert.Equal((3, 10, 12, 11, 12), (_offsets.Start, _offsets.Uploaded, _offsets.Cut, _offsets.Confirmed, _offsets.Next));
    }

    [Fact]
    public void A_stream_that_would_be_longer_than_numbers_go_is_refused_before_anything_happens()
    {
        Assert.Throws<OverflowException>(() => _offsets.EndOfNext(long.MaxValue));
        Assert.Equal(10, _offsets.Next);
    }
}
