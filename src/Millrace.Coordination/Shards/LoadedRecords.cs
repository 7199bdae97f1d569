namespace Millrace.Coordination.Shards;

/// <summary>A part of a coordinator's log.</summary>
/// <param name="Records">In order; those without a key are left out.</param>
/// <param name="BaseOffset">Where it begins: where the one before has ended, or below; above it, if what lay between was trimmed.</param>
/// <param name="EndOffset">Where the next part begins.</param>
public readonly record struct LoadedRecords(IReadOnlyList<EncodedRecord> Records, long BaseOffset, long EndOffset);
