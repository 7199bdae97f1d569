namespace Millrace.Controller.Log;

/// <summary>What looking for a snapshot has found.</summary>
/// <param name="Newest">The newest one that is whole; null if none is, or none is there.</param>
/// <param name="Damaged">The keys of those that were newer and damaged, the newest first.</param>
internal sealed record SnapshotSearch(Snapshot? Newest, IReadOnlyList<string> Damaged);
