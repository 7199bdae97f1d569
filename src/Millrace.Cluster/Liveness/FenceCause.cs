namespace Millrace.Cluster.Liveness;

/// <summary>Why a controller gives a node up.</summary>
internal enum FenceCause
{
    /// <summary>It was not heard for too long.</summary>
    Silent,

    /// <summary>Its process has ended: its connection was closed, and its port refuses.</summary>
    Gone,

    /// <summary>It does not reach the store, while others do.</summary>
    CutFromStore,
}
