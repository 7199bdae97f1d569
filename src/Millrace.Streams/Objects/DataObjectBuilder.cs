using System.Buffers;
using Millrace.Runtime;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;

namespace Millrace.Streams.Objects;

/// <summary>
/// Lays out a data object: the blocks of all ranges, then their checkpoints and annexes, the index, the footer. Stream set
/// objects and stream objects differ only in how many streams they hold.
/// </summary>
internal static class DataObjectBuilder
{
    /// <param name="id">The object's id, prepared in the registry.</param>
    /// <param name="kind">Its format.</param>
    /// <param name="ranges">In the order of streams and offsets.</param>
    /// <param name="blockBytes">Payload after which a block ends.</param>
    /// <param name="buffers">Lends the memory of the tables until the object is disposed.</param>
    public static DataObject Build(ObjectId id, ObjectKind kind, IReadOnlyList<UploadRange> ranges, int blockBytes, BufferPool buffers)
    {
        var (blocks, entries, position) = PlaceBlocks(ranges, blockBytes);
        var blocksEnd = position;
        var rangeEntries = new DataRangeEntry[ranges.Count];
        for (var i = 0; i < ranges.Count; i++)
        {
            rangeEntries[i] = Describe(ranges[i], blocks[i], entries, ref position);
        }

        var index = new DataObjectIndex(id, position + IndexSize(ranges.Count, entries.Length) + DataObjectFooter.EncodedSize, rangeEntries, entries);
        var tailBytes = checked((int)(index.ObjectSize - blocksEnd));
        var tables = buffers.Rent(checked(entries.Sum(entry => DataBlock.TableSize(entry.RecordCount)) + tailBytes));
        var body = new BodyWriter(tables);
        for (var i = 0; i < ranges.Count; i++)
        {
            var next = 0;
            foreach (ref readonly var entry in entries.AsSpan(blocks[i].First, blocks[i].Count))
            {
                var records = ranges[i].Records.AsSpan(next, entry.RecordCount);
                next += entry.RecordCount;
                DataBlock.WriteTable(body.Own(DataBlock.TableSize(records.Length)), records);
                foreach (ref readonly var record in records)
                {
                    body.Refer(record.Payload);
                }
            }
        }

        WriteTail(body.Own(tailBytes), ranges, index, kind, position);
        return new DataObject(body.ToSequence(), tables, index, [.. rangeEntries.Select(range => new ObjectRange(
            id, kind, index.ObjectSize, range.Stream, range.Epoch, range.StartOffset, range.EndOffset, range.Bytes, range.MaxTimestamp,
            range.Checkpoint.Length > 0, range.Digest))]);
    }

    private static ((int First, int Count)[] Blocks, DataBlockEntry[] Entries, long End) PlaceBlocks(IReadOnlyList<UploadRange> ranges, int blockBytes)
    {
        var blocks = new (int First, int Count)[ranges.Count];
        var entries = new List<DataBlockEntry>();
        var position = 0L;
        for (var i = 0; i < ranges.Count; i++)
        {
            var first = entries.Count;
            var records = ranges[i].Records;
            for (var next = 0; next < records.Length;)
            {
                var entry = PlaceBlock(records.AsSpan(next), blockBytes, position);
                entries.Add(entry);
                next += entry.RecordCount;
                position += entry.Size;
            }

            blocks[i] = (first, entries.Count - first);
        }

        return (blocks, [.. entries], position);
    }

    private static DataBlockEntry PlaceBlock(ReadOnlySpan<StreamRecord> records, int blockBytes, long position)
    {
        var (count, payload, maxTimestamp) = (0, 0L, long.MinValue);
        // A record may be larger than a block, but a block that is full enough takes no large one in addition.
        while (count < records.Length && (count == 0 || payload + records[count].Payload.Length <= blockBytes))
        {
            payload += records[count].Payload.Length;
            maxTimestamp = Math.Max(maxTimestamp, records[count].MaxTimestamp);
            count++;
        }

        return new DataBlockEntry(
            records[0].BaseOffset, records[count - 1].EndOffset, maxTimestamp, position, checked((int)(DataBlock.TableSize(count) + payload)), count);
    }

    private static DataRangeEntry Describe(UploadRange range, (int First, int Count) blocks, DataBlockEntry[] entries, ref long position)
    {
        var (digest, maxTimestamp, offset) = (default(RangeDigest), blocks.Count == 0 ? -1 : long.MinValue, range.StartOffset);
        foreach (ref readonly var record in range.Records.AsSpan())
        {
            Invariant.Check(record.BaseOffset == offset && record.Stream == range.Stream && record.Epoch == range.Epoch);
            offset = record.EndOffset;
            digest += RecordDigest.Of(record);
        }

        Invariant.Check(offset == range.EndOffset);
        foreach (ref readonly var block in entries.AsSpan(blocks.First, blocks.Count))
        {
            maxTimestamp = Math.Max(maxTimestamp, block.MaxTimestamp);
        }

        var checkpoint = AttachmentEntry.For(position, range.Checkpoint.Span);
        position += range.Checkpoint.Length;
        var annex = AttachmentEntry.For(position, range.Annex.Span);
        position += range.Annex.Length;
        return new DataRangeEntry(
            range.Stream, range.Epoch, range.StartOffset, range.EndOffset, range.Bytes, maxTimestamp, digest, blocks.First, blocks.Count, checkpoint, annex);
    }

    private static void WriteTail(Span<byte> tail, IReadOnlyList<UploadRange> ranges, DataObjectIndex index, ObjectKind kind, long indexPosition)
    {
        foreach (var range in ranges)
        {
            range.Checkpoint.Span.CopyTo(tail);
            tail = tail[range.Checkpoint.Length..];
            range.Annex.Span.CopyTo(tail);
            tail = tail[range.Annex.Length..];
        }

        var encoded = tail[..index.EncodedSize];
        index.Write(encoded);
        new DataObjectFooter(index.Object, index.ObjectSize, indexPosition, encoded.Length, Crc32C.Of(encoded), kind).Write(tail[encoded.Length..]);
    }

    private static int IndexSize(int ranges, int blocks) => DataObjectIndex.HeaderSize + ranges * DataRangeEntry.EncodedSize + blocks * DataBlockEntry.EncodedSize;

    /// <summary>Strings own memory and payloads together to one sequence.</summary>
    private sealed class BodyWriter(PooledBuffer tables)
    {
        private readonly JoinedMemory _joined = new();
        private int _used;

        public Span<byte> Own(int length)
        {
            var memory = tables.Memory.Slice(_used, length);
            _used += length;
            Refer(memory);
            return memory.Span;
        }

        public void Refer(ReadOnlyMemory<byte> memory) => _joined.Add(memory);

        public ReadOnlySequence<byte> ToSequence() => _joined.ToSequence();
    }
}
