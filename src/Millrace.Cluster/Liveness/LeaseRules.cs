namespace Millrace.Cluster.Liveness;

/// <summary>
/// What leases rest on, one method each. The simulator replaces them one at a time, to prove that its checkers would notice a mistake.
/// </summary>
/// <remarks>All timestamps are the node's own.</remarks>
public class LeaseRules
{
    public static LeaseRules Default { get; } = new();

    /// <summary>
    /// What a controller grants. It may have been deposed without knowing it: a grant lasts from its last proof that the metadata log is its own, unless
    /// nobody can have deposed it since, because it hears all others.
    /// </summary>
    /// <param name="lease">A whole lease.</param>
    /// <param name="proofAge">How long ago the proof began.</param>
    /// <param name="isCalm">Every node was heard just now, none is fenced, and none knows of another controller.</param>
    public virtual TimeSpan Grant(TimeSpan lease, TimeSpan proofAge, bool isCalm) => isCalm ? lease : proofAge < lease ? lease - proofAge : TimeSpan.Zero;

    /// <summary>
    /// When a lease ends that the controller has granted: it counts from when its holder sent the heartbeat, since the controller counts the session from
    /// when that arrived, which is later.
    /// </summary>
    public virtual long Until(long sentAt, long answeredAt, long granted) => sentAt + granted;

    /// <summary>
    /// What a look at the metadata log proves: that until it began nobody had taken the holder's place. Nothing of the time since, and no lease.
    /// </summary>
    /// <param name="beganAt">When the look began.</param>
    /// <param name="lease">A whole lease.</param>
    public virtual long AfterLook(long beganAt, long lease) => beganAt;

    /// <summary>
    /// How long a node that is heard, and is given up all the same, is granted nothing before: as long as one that is silent, so that the last lease that it
    /// was granted has ended.
    /// </summary>
    public virtual TimeSpan BeforeFence(TimeSpan fenceTime) => fenceTime;
}
