using Millrace.Cluster.Liveness;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Cluster.Liveness;

public sealed class ReadLeaseTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private readonly ManualTime _time = new();
    private readonly ReadLease _lease;

    public ReadLeaseTests()
    {
        _lease = new ReadLease(_time, new NodeIncarnation(new NodeId(1), new NodeEpoch(1)));
        _time.Advance(TimeSpan.FromSeconds(100));
    }

    [Fact]
    public void It_is_held_until_its_time_is_over()
    {
        Assert.False(_lease.IsHeld);
        _lease.Extend(In(2));
        Assert.True(_lease.IsHeld);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.False(_lease.IsHeld);
    }

    [Fact]
    public void An_older_answer_that_comes_later_takes_nothing_away()
    {
        _lease.Extend(In(2));
        _lease.Extend(In(1));
        _time.Advance(TimeSpan.FromSeconds(1.5));
        Assert.True(_lease.IsHeld);
    }

    [Fact]
    public void It_is_given_up_at_once()
    {
        _lease.Extend(In(2));
        _lease.GiveUp();
        Assert.False(_lease.IsHeld);
    }

    [Fact]
    public async Task What_was_complete_before_a_look_began_may_be_answered_then_and_nothing_that_came_later()
    {
        var before = _lease.WaitAsync(Long, default);
        _time.Advance(TimeSpan.FromSeconds(1));
        var look = In(0);
        _time.Advance(TimeSpan.FromSeconds(1));
        // Whoever is let go says so on a thread of its own: it has the time for that.
        var after = _lease.WaitAsync(TimeSpan.FromMilliseconds(200), default).AsTask();
        var patient = _lease.WaitAsync(Long, default).AsTask();

        _lease.Looked(look, Image(1, NodeState.Live));

        Assert.True(await before);
        Assert.False(_lease.IsHeld);
        Assert.False(await after);
        _lease.Extend(In(1));
        Assert.True(await patient);
    }

    [Theory]
    [InlineData(1, NodeState.Fenced)]
    [InlineData(2, NodeState.Live)]
    public async Task A_look_that_finds_its_holder_gone_proves_nothing(int epoch, NodeState state)
    {
        _lease.Looked(In(1), Image(epoch, state));

        Assert.False(_lease.IsHeld);
        Assert.False(await _lease.WaitAsync(TimeSpan.FromMilliseconds(1), default));
        _lease.Looked(In(1), Image(1, NodeState.Live));
        Assert.True(_lease.IsHeld);
    }

    [Fact]
    public async Task Nobody_waits_longer_than_his_patience()
    {
        Assert.False(await _lease.WaitAsync(TimeSpan.FromMilliseconds(1), default));
        using var gone = new CancellationTokenSource();
        var waiting = _lease.WaitAsync(Long, gone.Token).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    private long In(double seconds) => _time.GetTimestamp() + TimeSpan.FromSeconds(seconds).Ticks;

    private static MetadataImage Image(int epoch, NodeState state) =>
        MetadataImage.Empty.Apply(new NodeImage(new NodeId(1), new NodeEpoch(epoch), Guid.NewGuid(), [], null, state).ToRecord());
}
