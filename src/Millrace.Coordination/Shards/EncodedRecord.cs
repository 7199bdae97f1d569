namespace Millrace.Coordination.Shards;

/// <summary>A record's key and value as they stand in the log. No value: a tombstone.</summary>
public readonly record struct EncodedRecord(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Value);
