namespace Millrace.Protocol.Records;

/// <summary>A record with its place: for coordinators and tools, not for the data path.</summary>
/// <param name="Offset">Its offset in the partition.</param>
/// <param name="Timestamp">Milliseconds since 1970.</param>
/// <param name="Key">Null is a key of its own kind, other than an empty one.</param>
/// <param name="Value">Null is a tombstone.</param>
/// <param name="Headers">In the order they were written; keys may repeat.</param>
public readonly record struct Record(long Offset, long Timestamp, ReadOnlyMemory<byte>? Key, ReadOnlyMemory<byte>? Value, IReadOnlyList<RecordHeader> Headers);
