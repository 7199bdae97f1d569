namespace Millrace.Streams.Wal.File;

/// <summary>A block that was read and found right.</summary>
internal readonly record struct WalBlock(WalBlockHeader Header, ReadOnlyMemory<byte> Body);
