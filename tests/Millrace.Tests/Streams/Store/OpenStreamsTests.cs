using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Store;
using Xunit;

namespace Millrace.Tests.Streams.Store;

public sealed class OpenStreamsTests : IDisposable
{
    private readonly Cores _cores = new();
    private readonly OpenStreams _open = new();

    [Fact]
    public void A_stream_that_was_lost_opens_at_a_higher_epoch_alone()
    {
        var lost = _cores.Open(1, epoch: 5);
        _open.RemoveLost(lost);
        Assert.Equal(StreamError.Fenced, Refusal(1, epoch: 4));
        Assert.Equal(StreamError.Fenced, Refusal(1, epoch: 5));
        Assert.Null(Refusal(1, epoch: 6));
        Assert.Null(Refusal(2, epoch: 1));
    }

    [Fact]
    public void A_stream_that_was_closed_may_open_again()
    {
        _open.RemoveClosed(_cores.Open(1, epoch: 5));
        Assert.Null(Refusal(1, epoch: 5));
    }

    [Fact]
    public void Once_the_store_has_ended_nothing_is_opened_and_all_who_come_hear_why()
    {
        Assert.False(_open.HasEnded);
        _open.Close();
        Assert.True(_open.HasEnded);
        Assert.Equal(StreamError.Closed, Refusal(1, epoch: 1));
        _open.End(new StreamException(StreamError.Fenced, "another incarnation"));
        _open.Close();
        Assert.Equal(StreamError.Fenced, Refusal(1, epoch: 1));
    }

    public void Dispose() => _cores.Dispose();

    private StreamError? Refusal(long id, int epoch) =>
        (Record.Exception(() => _open.ThrowIfNotOpenable(new StreamId(id), new StreamEpoch(epoch))) as StreamException)?.Error;
}
