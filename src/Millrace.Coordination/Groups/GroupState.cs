namespace Millrace.Coordination.Groups;

/// <summary>Where a group stands. The names are Kafka's, and clients see them.</summary>
public enum GroupState
{
    /// <summary>No members; its offsets may remain.</summary>
    Empty,

    /// <summary>Members are to join again, and those who did wait for the others.</summary>
    PreparingRebalance,

    /// <summary>The generation has begun; the leader's assignment is awaited.</summary>
    CompletingRebalance,

    /// <summary>Everyone can have its assignment.</summary>
    Stable,

    /// <summary>There is no such group.</summary>
    Dead,
}
