using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>What an object of a compaction has of one of its sources: the two digests together are the source's.</summary>
/// <param name="Object">The source.</param>
/// <param name="Taken">Of the records that were taken.</param>
/// <param name="Rest">Of all other records in it.</param>
public readonly record struct SourceShare(ObjectId Object, RangeDigest Taken, RangeDigest Rest);
