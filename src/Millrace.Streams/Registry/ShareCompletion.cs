using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>What became of a share that was completed.</summary>
/// <param name="Damaged">The streams of it whose ranges stay open because records of them are missing.</param>
/// <param name="Uncommitted">Those of which more was read than is committed: their ranges stay open, and are to be read again.</param>
/// <param name="IsRetired">Nothing waits for the WAL any more, in whoever's share: what it takes may be given back.</param>
public sealed record ShareCompletion(IReadOnlyList<StreamId> Damaged, IReadOnlyList<StreamId> Uncommitted, bool IsRetired);
