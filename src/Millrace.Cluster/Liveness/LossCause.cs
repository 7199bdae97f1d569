namespace Millrace.Cluster.Liveness;

/// <summary>Why partitions lose their leader.</summary>
internal enum LossCause
{
    /// <summary>It was not heard for too long, and was given up.</summary>
    Silent,

    /// <summary>Its process has ended: its connection was closed, and its port refuses. It was given up.</summary>
    Gone,

    /// <summary>It does not reach the store, while others do, and was given up.</summary>
    CutFromStore,

    /// <summary>Another incarnation of its node has registered before anybody gave it up.</summary>
    Registered,

    /// <summary>It left in good order.</summary>
    Left,

    /// <summary>What it was happened under another controller.</summary>
    Unseen,
}
