using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>An object that is to be merged with others.</summary>
/// <param name="Object">The object.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Digest">The sum of the digests of all records in it.</param>
public readonly record struct CompactionSource(ObjectId Object, long Size, RangeDigest Digest);
