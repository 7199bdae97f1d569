using System.Buffers.Binary;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Objects;

/// <summary>
/// A data block, version 1: some consecutive records of one stream under one epoch; the unit of checksums, reads and caching.
/// The record table comes first and has fixed width, so that a record is found by binary search and nothing is parsed up front,
/// and payloads follow as they were appended, so that a block is written without copying them.
/// </summary>
/// <remarks>
/// Layout, little endian:
/// <code>
///  0  u32  magic "MRB1"
///  4  u32  CRC-32C of everything from 8 on
///  8  i32  record count, n
/// 12  i32  zero
/// 16  i64  stream
/// 24  i64  epoch
/// 32  n times 28 bytes: i64 base offset, i64 count, i64 max timestamp, i32 end of its payload, counted from the first payload
/// ..  n payloads
/// </code>
/// </remarks>
internal readonly struct DataBlock(ReadOnlyMemory<byte> bytes)
{
    public const uint Magic = 0x3142524D;
    public const int HeaderSize = 32;
    public const int RecordSize = 28;
    internal const int CrcAt = 4;
    internal const int CheckedFrom = 8;
    internal const int CountAt = 8;
    internal const int StreamAt = 16;
    internal const int EpochAt = 24;

    public int Count => BinaryPrimitives.ReadInt32LittleEndian(bytes.Span[CountAt..]);

    public StreamId Stream => new(BinaryPrimitives.ReadInt64LittleEndian(bytes.Span[StreamAt..]));

    public StreamEpoch Epoch => new(BinaryPrimitives.ReadInt64LittleEndian(bytes.Span[EpochAt..]));

    public StreamRecord this[int index]
    {
        get
        {
            var entry = bytes.Span[(HeaderSize + index * RecordSize)..];
            var payloads = HeaderSize + Count * RecordSize;
            var start = index == 0 ? 0 : PayloadEnd(index - 1);
            return new StreamRecord(
                Stream,
                Epoch,
                BinaryPrimitives.ReadInt64LittleEndian(entry),
                BinaryPrimitives.ReadInt64LittleEndian(entry[8..]),
                BinaryPrimitives.ReadInt64LittleEndian(entry[16..]),
                bytes.Slice(payloads + start, PayloadEnd(index) - start));
        }
    }

    /// <summary>Bytes of everything before the payloads.</summary>
    public static int TableSize(int count) => HeaderSize + count * RecordSize;

    /// <summary>Null if the block is whole and is the one that the index means, else what is wrong with it.</summary>
    public string? FindFault(StreamId stream, StreamEpoch epoch, in DataBlockEntry entry)
    {
        var span = bytes.Span;
        if (span.Length != entry.Size || span.Length < HeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(span) != Magic)
        {
            return "it does not begin like a data block";
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(span[CrcAt..]) != Crc32C.Of(span[CheckedFrom..]))
        {
            return "its checksum does not match its bytes";
        }

        if (Stream != stream || Epoch != epoch || Count != entry.RecordCount || Count < 1 || TableSize(Count) > span.Length
            || TableSize(Count) + PayloadEnd(Count - 1) != span.Length)
        {
            return "it is not the block that the index names";
        }

        var (offset, end) = (entry.FirstOffset, 0);
        for (var i = 0; i < Count; i++)
        {
            var payloadEnd = PayloadEnd(i);
            if (payloadEnd < end)
            {
                return "its table contradicts itself";
            }

            end = payloadEnd;
            var record = this[i];
            if (record.BaseOffset != offset || record.Count < 1)
            {
                return $"its records do not follow each other at offset {offset}";
            }

            offset = record.EndOffset;
        }

        return offset == entry.EndOffset ? null : "it ends at another offset than the index says";
    }

    /// <summary>The first record that ends after an offset; <see cref="Count"/> if there is none.</summary>
    public int Find(long offset)
    {
        var (low, high) = (0, Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            var entry = bytes.Span[(HeaderSize + middle * RecordSize)..];
            if (BinaryPrimitives.ReadInt64LittleEndian(entry) + BinaryPrimitives.ReadInt64LittleEndian(entry[8..]) <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private int PayloadEnd(int index) => BinaryPrimitives.ReadInt32LittleEndian(bytes.Span[(HeaderSize + index * RecordSize + 24)..]);
}
