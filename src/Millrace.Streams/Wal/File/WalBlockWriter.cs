using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;

namespace Millrace.Streams.Wal.File;

/// <summary>A group of appends laid out as one block, ready to be written in pieces. In direct mode each is aligned.</summary>
internal sealed class WalBlockWriter
{
    private readonly GatheredRecords _records = new();

    public WalBlockHeader Header { get; private set; }

    public IReadOnlyList<ReadOnlyMemory<byte>> Parts => _records.Parts;

    /// <summary>Lays the block out. It is held until <see cref="Release"/>, and the payloads must stay unchanged until then.</summary>
    public void Build(BufferPool pool, WalDeviceMode mode, WalBlockHeader header, WalAppendGroup appends)
    {
        var copiedUpTo = mode == WalDeviceMode.Direct ? int.MaxValue : GatheredRecords.CopiedPayload;
        _records.Build(pool, appends, WalBlockHeader.Size, FileWalFormat.Sector, copiedUpTo);
        Header = header with { Count = appends.Count, BodyLength = _records.BodyLength, BodyChecksum = _records.Checksum };
        Header.Write(_records.Head);
    }

    public void Release() => _records.Release();
}
