namespace Millrace.Metadata.Image;

/// <summary>
/// The times of a node that must fit those of all others, since any of them may be the controller next: how long its grants let others answer reads, and how
/// long it waits before it gives a silent one's partitions away.
/// </summary>
/// <param name="Lease">Counted from when a node sent a heartbeat.</param>
/// <param name="Fence">Counted from when the last one arrived.</param>
public sealed record NodeTimes(TimeSpan Lease, TimeSpan Fence)
{
    /// <summary>A lease is to be over before its holder is given up, even where its clock is this much slow and the controller's this much fast.</summary>
    private const double ClockError = 0.09;

    /// <summary>The longest lease that is over before a controller with this fence time gives its holder up.</summary>
    public TimeSpan LongestLease => Fence * ((1 - ClockError) / (1 + ClockError));

    /// <summary>The shortest fence time that outlasts this lease.</summary>
    public TimeSpan ShortestFence => Lease * ((1 + ClockError) / (1 - ClockError)) + TimeSpan.FromMilliseconds(1);

    /// <summary>Whether the leases of both are over before either gives the holder up.</summary>
    public bool Fits(NodeTimes other) => Lease <= other.LongestLease && other.Lease <= LongestLease;
}
