namespace Millrace.Cluster.Membership;

/// <summary>A controller that this node has lost, and for how long it leaves it to others to take its place.</summary>
/// <param name="Owner">Which one.</param>
/// <param name="End">How.</param>
/// <param name="Wait">From <paramref name="Since"/> on.</param>
/// <param name="Since">A timestamp of the runtime's time.</param>
internal sealed record LostController(TermOwner Owner, FollowEnd End, TimeSpan Wait, long Since)
{
    /// <summary>What is left of the wait; null when it is over.</summary>
    public TimeSpan? Left(TimeProvider time) => Wait - time.GetElapsedTime(Since) is var left && left > TimeSpan.Zero ? left + OneMillisecond : null;

    // Delays are cut to whole milliseconds: without one more, the last of them would be spun away.
    private static TimeSpan OneMillisecond => TimeSpan.FromMilliseconds(1);
}
