namespace Millrace.Coordination.Shards;

/// <summary>Why a coordinator did not carry an operation out, or cannot say whether it did.</summary>
public enum CoordinatorError
{
    /// <summary>The shard is being read from its log: ask again here.</summary>
    Loading,

    /// <summary>Another node has the shard, or nobody: look the coordinator up again.</summary>
    NotHere,

    /// <summary>The log did not take the records, or not in time: ask again. They may turn out to be there.</summary>
    Unavailable,

    /// <summary>The operation failed for a reason of ours.</summary>
    Failed,
}
