namespace Millrace.Controller.Log;

/// <summary>What looking for a snapshot has found.</summary>
/// <param name="Newest">The newest one that is whole; null if none is, or none is there.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Damaged">The objects for which those that were newer were passed over, the newest first.</param>
internal sealed record SnapshotSearch(Snapshot? Newest, long Bytes, IReadOnlyList<string> Damaged);
