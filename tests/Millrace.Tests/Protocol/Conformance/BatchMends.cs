using System.Buffers.Binary;
using Millrace.Protocol.Records;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>
/// Undoes, one by one, what this broker refuses in a batch and Kafka takes. A mending gives its argument back where there is
/// nothing for it to undo. A difference is the listed one if the mended batch is taken here, and read as Kafka reads the other.
/// </summary>
internal static class BatchMends
{
    private const short AppendTimeBit = 0x08;
    private const short DeleteHorizonBit = 0x40;
    private const byte ReservedGzipFlags = 0xe0;
    private const int GzipFlagsAt = 3;
    private const int MostThatIsCut = 12;

    public static readonly (string Reason, Func<byte[], byte[]> Undo)[] All =
    [
        ("bytes that are no batch behind one", Alone),
        ("the LogAppendTime bit", batch => Header(batch, header => header with { Attributes = (short)(header.Attributes & ~AppendTimeBit) })),
        ("the delete horizon bit", batch => Header(batch, header => header with { Attributes = (short)(header.Attributes & ~DeleteHorizonBit) })),
        ("a producer without an epoch", batch => Header(batch, header =>
            header is { HasProducerId: true, ProducerEpoch: -1 } ? header with { ProducerEpoch = 0 } : header)),
        ("gzip: reserved flags, which zlib refuses", batch => Payload(batch, CompressionCodec.Gzip, WithoutReservedFlags)),
        ("gzip: bytes behind the last member, which Java ignores and Python refuses",
            batch => Payload(batch, CompressionCodec.Gzip, WithoutBytesBehindMembers)),
        ("lz4: the content's checksum or size, or what follows the last record's block, which Java does not look at and librdkafka does",
            batch => Payload(batch, CompressionCodec.Lz4, Lz4Frames.Plainly)),
        ("snappy: other versions, streams in a row or up to three bytes behind, which only xerial reads",
            batch => Payload(batch, CompressionCodec.Snappy, WithOneHeader)),
        ("zstd: a last frame that is cut behind the last record", batch => Payload(batch, CompressionCodec.Zstd, WithoutCutFrame)),
    ];

    public static byte[] Payload(byte[] batch, CompressionCodec codec, Func<byte[], byte[]> undo)
    {
        if (!RecordBatchHeader.TryRead(batch, out var header) || header.Codec != codec)
        {
            return batch;
        }

        var payload = batch[RecordBatchHeader.Size..];
        var mended = undo(payload);
        return mended.AsSpan().SequenceEqual(payload)
            ? batch
            : BatchCases.Assemble(header with { Length = RecordBatchHeader.Size - RecordBatchHeader.LengthOverhead + mended.Length }, mended);
    }

    private static byte[] Alone(byte[] bytes) =>
        RecordBatchHeader.TryRead(bytes, out var header) && header.SizeInBytes >= RecordBatchHeader.Size && header.SizeInBytes < bytes.Length
            ? bytes[..header.SizeInBytes]
            : bytes;

    private static byte[] Header(byte[] batch, Func<RecordBatchHeader, RecordBatchHeader> undo) =>
        RecordBatchHeader.TryRead(batch, out var header) && undo(header) is var mended && mended != header
            ? BatchCases.Assemble(mended, batch[RecordBatchHeader.Size..])
            : batch;

    private static byte[] WithoutReservedFlags(byte[] payload)
    {
        var mended = (byte[])payload.Clone();
        if (mended.Length > GzipFlagsAt)
        {
            mended[GzipFlagsAt] &= unchecked((byte)~ReservedGzipFlags);
        }

        return mended;
    }

    private static byte[] WithoutBytesBehindMembers(byte[] payload)
    {
        for (var end = payload.Length; end > 0; end--)
        {
            // A member ends with the length of its content, which is not that long here.
            if (payload[end - 1] == 0 && IsTaken(CompressionCodec.Gzip, payload.AsMemory(0, end)))
            {
                return payload[..end];
            }
        }

        return payload;
    }

    private static byte[] WithOneHeader(byte[] payload)
    {
        var header = CodecLayer.SnappyHeader;
        var magic = header.AsSpan(0, 8);
        if (payload.Length < header.Length || !payload.AsSpan().StartsWith(magic))
        {
            return payload;
        }

        var output = new List<byte>(header);
        var at = header.Length;
        while (payload.Length - at >= sizeof(int))
        {
            // Of a further header xerial looks at the first word alone.
            if (payload.AsSpan(at).StartsWith(magic[..sizeof(int)]))
            {
                at = Math.Min(payload.Length, at + header.Length);
                continue;
            }

            var size = BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(at));
            if (size < 0 || size > payload.Length - at - sizeof(int))
            {
                return payload;
            }

            output.AddRange(payload.AsSpan(at, sizeof(int) + size));
            at += sizeof(int) + size;
        }

        return [.. output];
    }

    private static byte[] WithoutCutFrame(byte[] payload)
    {
        if (IsTaken(CompressionCodec.Zstd, payload))
        {
            return payload;
        }

        // A stored block is read as far as it goes.
        for (var more = 1; more <= MostThatIsCut; more++)
        {
            byte[] longer = [.. payload, .. new byte[more]];
            if (IsTaken(CompressionCodec.Zstd, longer))
            {
                return longer;
            }
        }

        for (var end = payload.Length - 1; end > 0; end--)
        {
            var rest = payload.AsSpan(end);
            byte[] magic = (rest[0] & 0xf0) == 0x50 ? [rest[0], 0x2a, 0x4d, 0x18] : [0x28, 0xb5, 0x2f, 0xfd];
            if (magic.AsSpan().StartsWith(rest[..Math.Min(rest.Length, magic.Length)]) && IsTaken(CompressionCodec.Zstd, payload.AsMemory(0, end)))
            {
                return payload[..end];
            }
        }

        return payload;
    }

    private static bool IsTaken(CompressionCodec codec, ReadOnlyMemory<byte> payload)
    {
        var outcome = RecordCompression.Decompress(codec, payload, 64 << 20, out var records);
        records?.Dispose();
        return outcome == DecompressionOutcome.Done;
    }
}
