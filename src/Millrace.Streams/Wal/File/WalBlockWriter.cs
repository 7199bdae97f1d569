using Millrace.Runtime;

namespace Millrace.Streams.Wal;

/// <summary>A group of appends laid out as one block, ready to be written in pieces.</summary>
/// <remarks>
/// In direct mode all is copied into one aligned buffer. Otherwise large payloads stay where they are and go to the device
/// from there, since a copy costs more than another entry in the list of pieces; small ones are copied, where it is the
/// other way round.
/// </remarks>
internal sealed class WalBlockWriter
{
    private const int CopiedPayload = 8 << 10;
    private readonly List<ReadOnlyMemory<byte>> _parts = [];
    private PooledBuffer? _buffer;

    public WalBlockHeader Header { get; private set; }

    public IReadOnlyList<ReadOnlyMemory<byte>> Parts => _parts;

    /// <summary>Lays the block out. It is held until <see cref="Release"/>, and the payloads must stay unchanged until then.</summary>
    public void Build(BufferPool pool, WalDeviceMode mode, WalBlockHeader header, List<WalAppend> appends)
    {
        var copiedUpTo = mode == WalDeviceMode.Direct ? int.MaxValue : CopiedPayload;
        long bodyLength = 0, copied = WalBlockHeader.Size;
        foreach (var append in appends)
        {
            var length = append.Record.Payload.Length;
            bodyLength += WalRecordFormat.HeaderSize + length;
            copied += WalRecordFormat.HeaderSize + (length <= copiedUpTo ? length : 0);
        }

        header = header with { Count = appends.Count, BodyLength = checked((int)bodyLength) };
        var padding = (int)(header.BlockLength - WalBlockHeader.Size - bodyLength);
        _buffer = pool.Rent(checked((int)copied + padding));
        var memory = _buffer.Memory;
        int end = WalBlockHeader.Size, begin = end;
        uint checksum = 0;
        foreach (var append in appends)
        {
            var payload = append.Record.Payload;
            WalRecordFormat.WriteHeader(memory.Span[end..], append.Record);
            end += WalRecordFormat.HeaderSize;
            if (payload.Length <= copiedUpTo)
            {
                payload.Span.CopyTo(memory.Span[end..]);
                end += payload.Length;
                continue;
            }

            checksum = Crc32C.Append(Crc32C.Append(checksum, memory.Span[begin..end]), payload.Span);
            _parts.Add(_parts.Count == 0 ? memory[..end] : memory[begin..end]);
            _parts.Add(payload);
            begin = end;
        }

        checksum = Crc32C.Append(checksum, memory.Span[begin..end]);
        memory.Span.Slice(end, padding).Clear();
        end += padding;
        if (_parts.Count == 0)
        {
            _parts.Add(memory[..end]);
        }
        else if (end > begin)
        {
            _parts.Add(memory[begin..end]);
        }

        Header = header with { BodyChecksum = checksum };
        Header.Write(memory.Span);
    }

    public void Release()
    {
        _parts.Clear();
        _buffer?.Release();
        _buffer = null;
    }
}
