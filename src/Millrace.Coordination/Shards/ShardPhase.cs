namespace Millrace.Coordination.Shards;

/// <summary>Where a shard stands on this node.</summary>
internal enum ShardPhase
{
    /// <summary>Its records are being read, or will be when the appends under way have ended.</summary>
    Loading,

    /// <summary>It serves.</summary>
    Active,

    /// <summary>It does not serve here, for good: resigned, fenced, or its log cannot be understood.</summary>
    Gone,
}
