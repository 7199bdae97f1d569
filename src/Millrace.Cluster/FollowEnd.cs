namespace Millrace.Cluster;

/// <summary>Why a controller is followed no longer.</summary>
internal enum FollowEnd
{
    /// <summary>Its process is gone: its port refuses.</summary>
    Gone,

    /// <summary>It has not been heard for as long as makes it suspect.</summary>
    Silent,

    /// <summary>Whoever answers there is not that controller, or is it no longer.</summary>
    Resigned,

    /// <summary>It is cut off from the store, which answers this node.</summary>
    CutFromStore,

    /// <summary>What is missing here lies too far back for it: the bucket is to be read.</summary>
    TooFarBack,
}
