using System.Text;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Protocol.Records;

/// <summary>A batch and its header.</summary>
/// <param name="Header">The header, read.</param>
/// <param name="Bytes">The whole batch, header included: a slice of what it was found in.</param>
public readonly record struct RecordBatch(RecordBatchHeader Header, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>
    /// Takes the batches out of what a fetch or a log read gave. An incomplete batch at the end is left out, as
    /// fetches cut there.
    /// </summary>
    /// <exception cref="ProtocolException">Something there is no batch of format 2.</exception>
    public static IEnumerable<RecordBatch> Split(ReadOnlyMemory<byte> bytes)
    {
        while (RecordBatchHeader.TryRead(bytes.Span, out var header))
        {
            if (header.Magic != RecordBatchHeader.CurrentMagic || header.Length < RecordBatchHeader.Size - RecordBatchHeader.LengthOverhead)
            {
                throw new ProtocolException($"No record batch of format {RecordBatchHeader.CurrentMagic}: magic {header.Magic}, length {header.Length}");
            }

            if (header.Length > bytes.Length - RecordBatchHeader.LengthOverhead)
            {
                yield break;
            }

            yield return new RecordBatch(header, bytes[..header.SizeInBytes]);
            bytes = bytes[header.SizeInBytes..];
        }
    }

    /// <summary>The checksum matches.</summary>
    public bool IsIntact => Header.Crc == RecordBatchPatch.ComputeCrc(Bytes.Span);

    /// <summary>
    /// All records, decompressed, one at a time: for coordinators and tools. Keys and values of an uncompressed batch are slices of it,
    /// those of a compressed one of an array of their own.
    /// </summary>
    /// <param name="maxDecompressedBytes">The most that the records may take when decompressed.</param>
    /// <exception cref="ProtocolException">By the enumeration: the records are malformed, or take more room.</exception>
    public IEnumerable<Record> ReadRecords(int maxDecompressedBytes)
    {
        var rest = Decompress(maxDecompressedBytes);
        for (var i = 0; i < Header.RecordCount; i++)
        {
            var record = ReadRecord(rest, i, out var length);
            rest = rest[length..];
            yield return record;
        }

        if (!rest.IsEmpty)
        {
            throw new ProtocolException($"Bytes follow the last record of the batch at {Header.BaseOffset}");
        }
    }

    private ReadOnlyMemory<byte> Decompress(int maxDecompressedBytes)
    {
        var records = Bytes[RecordBatchHeader.Size..];
        if (Header.Codec == CompressionCodec.None)
        {
            return records;
        }

        var outcome = RecordCompression.IsKnown(Header.Codec)
            ? RecordCompression.Decompress(Header.Codec, records, maxDecompressedBytes, out var decompressed)
            : throw new ProtocolException($"There is no codec {(int)Header.Codec}");
        if (outcome != DecompressionOutcome.Done)
        {
            throw new ProtocolException($"The batch at {Header.BaseOffset} cannot be decompressed ({Header.Codec}): {outcome}");
        }

        using (decompressed)
        {
            return decompressed!.Span.ToArray();
        }
    }

    private Record ReadRecord(ReadOnlyMemory<byte> bytes, int index, out int length)
    {
        var reader = new RecordReader(bytes.Span);
        if (!reader.TryRead(out var record))
        {
            throw new ProtocolException($"Record {index} of the batch at {Header.BaseOffset} is malformed");
        }

        length = reader.Position;

        // Under the broker's clock all records have the batch's time.
        var timestamp = Header.TimestampType == TimestampType.LogAppendTime ? Header.MaxTimestamp : Header.BaseTimestamp + record.TimestampDelta;
        return new Record(
            Header.BaseOffset + record.OffsetDelta,
            timestamp,
            Slice(bytes, record.HasKey, record.Key),
            Slice(bytes, record.HasValue, record.Value),
            record.HeaderCount == 0 ? [] : ReadHeaders(bytes, record));
    }

    private static List<RecordHeader> ReadHeaders(ReadOnlyMemory<byte> bytes, RecordView record)
    {
        var headers = new List<RecordHeader>(record.HeaderCount);
        var reader = record.Headers;
        while (reader.MoveNext())
        {
            headers.Add(new RecordHeader(Encoding.UTF8.GetString(reader.Key), Slice(bytes, reader.HasValue, reader.Value)));
        }

        return headers;
    }

    /// <summary>The memory behind a span that was sliced from it, or null when there is no value.</summary>
    private static ReadOnlyMemory<byte>? Slice(ReadOnlyMemory<byte> bytes, bool hasValue, ReadOnlySpan<byte> part)
    {
        if (!hasValue)
        {
            return null;
        }

        if (part.IsEmpty)
        {
            return ReadOnlyMemory<byte>.Empty;
        }

        // Overlap is counted from the part's own start, so the distance comes out negative.
        Invariant.Check(part.Overlaps(bytes.Span, out var distance));
        return bytes.Slice(-distance, part.Length);
    }
}
