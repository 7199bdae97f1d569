using System.Numerics;
using Millrace.Runtime;

namespace Millrace.Streams.Wal;

/// <summary>A group of appends laid out one behind the other, behind room for a head, as a list of pieces to write.</summary>
/// <remarks>
/// Large payloads stay where they are and are written from there, since a copy costs more than another piece; small ones are
/// copied, where it is the other way round. It is held until <see cref="Release"/>, and the payloads must stay unchanged until then.
/// </remarks>
internal sealed class GatheredRecords
{
    /// <summary>Payloads up to this are copied.</summary>
    public const int CopiedPayload = 8 << 10;

    private const int LargestRounded = 16 << 20;

    private readonly List<ReadOnlyMemory<byte>> _parts = [];
    private PooledBuffer? _buffer;
    private int _begin;
    private int _end;

    /// <summary>The head, to be filled in by the caller, and the records, in pieces; together a multiple of the alignment.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Parts => _parts;

    /// <summary>CRC-32C of the records.</summary>
    public uint Checksum { get; private set; }

    /// <summary>Bytes of the records.</summary>
    public int BodyLength { get; private set; }

    /// <summary>What the caller fills in.</summary>
    public Span<byte> Head => _buffer!.Memory.Span;

    /// <param name="pool">Lends the memory.</param>
    /// <param name="appends">What to lay out.</param>
    /// <param name="headSize">Bytes left free at the beginning.</param>
    /// <param name="alignment">Zeros follow up to a multiple of it.</param>
    /// <param name="copiedUpTo">Payloads up to this are copied.</param>
    public void Build(BufferPool pool, List<WalAppend> appends, int headSize, int alignment, int copiedUpTo)
    {
        long body = 0, copied = headSize;
        foreach (var append in appends)
        {
            var payload = append.Record.Payload.Length;
            body += WalRecordFormat.HeaderSize + payload;
            copied += WalRecordFormat.HeaderSize + (payload <= copiedUpTo ? payload : 0);
        }

        BodyLength = checked((int)body);
        var padding = (int)((alignment - (headSize + body) % alignment) % alignment);
        // Groups differ in size. Powers of two are few, so that what an earlier group returned mostly fits.
        var length = checked((int)copied + padding);
        _buffer = pool.Rent(length <= LargestRounded ? (int)BitOperations.RoundUpToPowerOf2((uint)length) : length);
        var memory = _buffer.Memory;
        _begin = _end = headSize;
        foreach (var append in appends)
        {
            Add(memory, append.Record, copiedUpTo);
        }

        Checksum = Crc32C.Append(Checksum, memory.Span[_begin.._end]);
        memory.Span.Slice(_end, padding).Clear();
        AddCopied(memory, _end + padding);
    }

    public void Release()
    {
        _parts.Clear();
        _buffer?.Release();
        _buffer = null;
    }

    private void Add(Memory<byte> memory, in StreamRecord record, int copiedUpTo)
    {
        var payload = record.Payload;
        WalRecordFormat.WriteHeader(memory.Span[_end..], record);
        _end += WalRecordFormat.HeaderSize;
        if (payload.Length <= copiedUpTo)
        {
            payload.Span.CopyTo(memory.Span[_end..]);
            _end += payload.Length;
            return;
        }

        Checksum = Crc32C.Append(Crc32C.Append(Checksum, memory.Span[_begin.._end]), payload.Span);
        AddCopied(memory, _end);
        _parts.Add(payload);
        _begin = _end;
    }

    // The first piece begins with the head, which is no part of the body.
    private void AddCopied(Memory<byte> memory, int end)
    {
        var begin = _parts.Count == 0 ? 0 : _begin;
        if (end > begin)
        {
            _parts.Add(memory[begin..end]);
        }
    }
}
