namespace Millrace.Streams.Wal.Ring;

/// <summary>A block that was read and found right.</summary>
internal readonly record struct WalBlock(WalBlockHeader Header, ReadOnlyMemory<byte> Body);
