namespace Millrace.Controller.Log;

/// <summary>The halves of a snapshot, in the order in which they are read.</summary>
internal enum SnapshotHalf
{
    /// <summary>What every node knows: the cluster image, and the counters of both halves.</summary>
    Cluster,

    /// <summary>What only the controller knows: streams and objects.</summary>
    Streams,
}
