using Millrace.Protocol.Records;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>
/// Reads records as loosely as Kafka does: any offset, any length below zero for null, and numbers of which the bits beyond their
/// type are dropped. Tells what was odd, and what a consumer of Kafka makes of it.
/// </summary>
internal sealed class LooseRecords
{
    private readonly byte[] _records;
    private readonly RecordBatchHeader _header;
    private int _at;

    private LooseRecords(byte[] records, RecordBatchHeader header) => (_records, _header) = (records, header);

    public bool HasOddOffsets { get; private set; }

    public bool HasOddNumbers { get; private set; }

    /// <summary>Kafka does not use them, and kafka-python reads them as if they were a varint.</summary>
    public bool HasLargeAttributes { get; private set; }

    /// <summary>As <see cref="BatchJudgement.Content"/>.</summary>
    public string Content { get; private set; } = "";

    /// <summary>Null if the bytes are no batch whose payload can be decompressed, or no records however loosely read.</summary>
    public static LooseRecords? Of(byte[] batch)
    {
        if (!RecordBatchHeader.TryRead(batch, out var header) || !RecordCompression.IsKnown(header.Codec))
        {
            return null;
        }

        var payload = batch[RecordBatchHeader.Size..];
        if (header.Codec != CompressionCodec.None)
        {
            if (RecordCompression.Decompress(header.Codec, payload, 64 << 20, out var decompressed) != DecompressionOutcome.Done)
            {
                return null;
            }

            payload = decompressed!.Span.ToArray();
            decompressed.Dispose();
        }

        var loose = new LooseRecords(payload, header);
        try
        {
            loose.Read();
            return loose;
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentException)
        {
            return null;
        }
    }

    private void Read()
    {
        var digest = 1L;
        for (var i = 0; i < _header.RecordCount; i++)
        {
            Number();
            HasLargeAttributes |= _records[_at++] >= 0x80;
            var time = _header.BaseTimestamp + Number(bits: 64);
            var offset = (int)Number();
            HasOddOffsets |= offset != i;
            digest = MillraceJudge.Add(MillraceJudge.Add(digest, offset), time);
            digest = MillraceJudge.Add(MillraceJudge.Add(digest, Slice()), Slice());
            for (var headers = Number(); headers > 0; headers--)
            {
                Slice();
                digest = MillraceJudge.Add(digest, Slice());
            }
        }

        Content = $"{_header.RecordCount}:{digest:x}";
    }

    private ReadOnlyMemory<byte>? Slice()
    {
        var length = (int)Number();
        HasOddNumbers |= length < -1;
        if (length < 0)
        {
            return null;
        }

        _at += length;
        return _records.AsMemory(_at - length, length);
    }

    private long Number(int bits = 32)
    {
        var value = UInt128.Zero;
        for (var shift = 0; ; shift += 7)
        {
            var next = _records[_at++];
            value |= (UInt128)(next & 0x7fu) << shift;
            if (next < 0x80)
            {
                break;
            }
        }

        HasOddNumbers |= value >> bits != 0;
        return bits == 32 ? (int)((uint)value >> 1) ^ -(int)((uint)value & 1) : (long)((ulong)value >> 1) ^ -(long)((ulong)value & 1);
    }
}
