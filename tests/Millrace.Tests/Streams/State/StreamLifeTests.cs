using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.State;
using Xunit;

namespace Millrace.Tests.Streams.State;

public sealed class StreamLifeTests
{
    private readonly StreamLife _life = new(new StreamId(7));

    [Fact]
    public void One_that_is_closing_takes_no_appends_and_is_read_all_the_same()
    {
        _life.BeginClosing(handsOver: false);
        _life.BeginClosing(handsOver: false);
        Assert.Equal(StreamError.Closed, Assert.Throws<StreamException>(_life.ThrowIfNotAppendable).Error);
        _life.ThrowIfEnded();

        _life.Close();
        Assert.Equal(StreamError.Closed, Assert.Throws<StreamException>(_life.ThrowIfEnded).Error);
    }

    [Fact]
    public void One_that_was_lost_says_why_to_all_who_come()
    {
        _life.BeginClosing(handsOver: false);
        _life.Lose(new StreamException(StreamError.Fenced, "another owner"));
        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(_life.ThrowIfEnded).Error);
        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(_life.ThrowIfNotAppendable).Error);
        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(_life.Close).Error);
        Assert.Throws<InvariantViolationException>(() => _life.Lose(new StreamException(StreamError.Closed, "again")));
    }

    [Fact]
    public void Its_memory_may_go_when_it_has_ended_and_nobody_uses_it()
    {
        _life.Enter();
        _life.Enter();
        _life.Leave();
        _life.Lose(new StreamException(StreamError.Unknown, "deleted"));
        Assert.True(_life.HasEnded);
        Assert.False(_life.IsOver);
        _life.Leave();
        Assert.True(_life.IsOver);
        Assert.Throws<InvariantViolationException>(_life.Leave);
    }
}
