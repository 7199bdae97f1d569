using Millrace.Controller;
using Millrace.Runtime;

namespace Millrace.Cluster.Liveness;

/// <summary>
/// How long the answer to a heartbeat lets its sender answer reads. A controller that was deposed without knowing it must not go on granting: it grants out
/// of what it has proven, which is that the metadata log was its own when it last appended or looked.
/// </summary>
/// <remarks>
/// A proof costs the store a request, so that a calm cluster needs few: while every node is heard, and none is fenced, none of them can have become
/// controller. Whoever does has left this one for longer than <see cref="ClusterOptions.ProbeTime"/> before, and gives everybody a whole session. Threading:
/// any thread.
/// </remarks>
internal sealed class LeaseGrants(NodeRuntime runtime, ClusterController controller, ClusterOptions options, SessionClock clock)
{
    private long _calmUntil = long.MinValue;
    private long _doubtedAt = long.MinValue;

    /// <summary>Whether leases are granted in full, and the log is looked at rarely: nobody can have deposed the controller.</summary>
    public bool IsCalm => runtime.Time.GetTimestamp() < Volatile.Read(ref _calmUntil)
        && controller.ProvenAt is var proven && proven > Volatile.Read(ref _doubtedAt) && proven > clock.StoodStillUntil;

    /// <summary>Whether somebody wants to know how fresh the proof is: then the log is looked at often, however calm the cluster is.</summary>
    public bool WantsProof { get; set; }

    /// <summary>What is granted now.</summary>
    public TimeSpan Next() => options.Rules.Grant(options.LeaseTime, runtime.Time.GetElapsedTime(controller.ProvenAt), IsCalm);

    /// <summary>There may be another controller: nothing is granted in full until the log was looked at.</summary>
    public void Doubt() => Volatile.Write(ref _doubtedAt, runtime.Time.GetTimestamp());

    /// <summary>All the other nodes are known to have lived at a time or later, each of them a follower of this controller.</summary>
    /// <param name="at">A timestamp; null if there are no others.</param>
    public void AllLived(long? at)
    {
        var since = at ?? runtime.Time.GetTimestamp();
        Volatile.Write(ref _calmUntil, since + (long)(options.ProbeTime.TotalSeconds * runtime.Time.TimestampFrequency));
        controller.LooksRarely = IsCalm && !WantsProof;
    }
}
