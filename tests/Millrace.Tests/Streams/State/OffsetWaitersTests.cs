using Millrace.Streams.State;
using Xunit;

namespace Millrace.Tests.Streams.State;

public sealed class OffsetWaitersTests
{
    // An upload that a full WAL keeps from the newest records looks again twenty times a second, for as long as the store is away.
    [Fact]
    public void Whoever_comes_again_for_the_same_offset_waits_with_those_who_wait_already()
    {
        var waiters = new OffsetWaiters();
        var first = waiters.Add(5);
        var later = waiters.Add(7);

        Assert.Same(first, waiters.Add(5));
        Assert.Same(later, waiters.Add(7));
        waiters.Advance(6);
        Assert.True(first.IsCompletedSuccessfully);
        Assert.False(later.IsCompleted);
        waiters.Advance(7);
        Assert.True(later.IsCompletedSuccessfully);
        Assert.False(waiters.Any);
    }
}
