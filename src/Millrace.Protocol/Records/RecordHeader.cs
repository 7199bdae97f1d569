namespace Millrace.Protocol.Records;

/// <summary>A named value beside a record's own.</summary>
public readonly record struct RecordHeader(string Key, ReadOnlyMemory<byte>? Value);
