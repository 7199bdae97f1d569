using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Objects;

/// <summary>
/// Lays out a data object: the blocks of all ranges, then their checkpoints and annexes, the index, the footer. Stream set
/// objects and stream objects differ only in how many streams they hold.
/// </summary>
/// <remarks>
/// Memory of its own, for tables and index, and payloads where they lie are strung together to one sequence. Small payloads are copied: their place in
/// a sequence would take about as much memory as they do, and each is a piece to send.
/// </remarks>
internal sealed class DataObjectBuilder
{
    /// <summary>Payloads up to this are copied.</summary>
    private const int CopiedPayload = 1 << 10;

    private const int PieceBytes = 1 << 20;

    // What a place in the sequence takes of managed memory.
    private const int PlaceBytes = 48;

    // However small: 112 KiB of table is what a reader of one of them fetches besides.
    private const int MostRecords = 4096;
    private readonly BufferPool _buffers;
    private readonly JoinedMemory _joined = new();
    private readonly List<PooledBuffer> _pieces = [];
    private Memory<byte> _piece;
    private int _begin;
    private int _end;
    private long _left;
    private long _heldBytes;

    /// <param name="buffers">Lends the memory, in pieces of moderate size.</param>
    /// <param name="ownBytes">What will be taken of it in all.</param>
    private DataObjectBuilder(BufferPool buffers, long ownBytes) => (_buffers, _left) = (buffers, ownBytes);

    /// <param name="id">The object's id, prepared in the registry.</param>
    /// <param name="kind">Its format.</param>
    /// <param name="ranges">In the order of streams and offsets.</param>
    /// <param name="blockBytes">Payload after which a block ends.</param>
    /// <param name="buffers">Lends the memory of the tables until the object is disposed.</param>
    public static DataObject Build(ObjectId id, ObjectKind kind, IReadOnlyList<UploadRange> ranges, int blockBytes, BufferPool buffers)
    {
        var (blocks, entries, position) = PlaceBlocks(ranges, blockBytes);
        var rangeEntries = new DataRangeEntry[ranges.Count];
        for (var i = 0; i < ranges.Count; i++)
        {
            rangeEntries[i] = Describe(ranges[i], blocks[i], entries, ref position);
        }

        var index = new DataObjectIndex(id, position + IndexSize(ranges.Count, entries.Length) + DataObjectFooter.EncodedSize, rangeEntries, entries);
        var tables = entries.Sum(entry => (long)DataBlock.TableSize(entry.RecordCount));
        var builder = new DataObjectBuilder(buffers, tables + CopiedBytes(ranges) + index.ObjectSize - position);
        try
        {
            for (var i = 0; i < ranges.Count; i++)
            {
                builder.WriteBlocks(ranges[i], entries.AsSpan(blocks[i].First, blocks[i].Count));
            }

            foreach (var range in ranges)
            {
                builder.Refer(range.Checkpoint);
                builder.Refer(range.Annex);
            }

            WriteIndex(builder.Own(checked((int)(index.ObjectSize - position))), index, kind, position);
            builder.EndPart();
            var digest = rangeEntries.Aggregate(default(RangeDigest), (sum, range) => sum + range.Digest);
            return new DataObject(builder._joined.ToSequence(), builder._pieces, builder._heldBytes, index, [.. rangeEntries.Select(range => new ObjectRange(
                id, kind, index.ObjectSize, range.Stream, range.Epoch, range.StartOffset, range.EndOffset, range.Bytes, range.MaxTimestamp,
                range.Checkpoint.Length > 0, digest))]);
        }
        catch
        {
            builder._pieces.ForEach(piece => piece.Release());
            throw;
        }
    }

    private static long CopiedBytes(IReadOnlyList<UploadRange> ranges) => ranges.Sum(range => range.Records.Sum(
        record => record.Payload.Length <= CopiedPayload ? (long)record.Payload.Length : 0));

    private void WriteBlocks(UploadRange range, ReadOnlySpan<DataBlockEntry> blocks)
    {
        using var records = range.Records.GetEnumerator();
        foreach (ref readonly var block in blocks)
        {
            var table = new DataBlockTable(Own(DataBlock.TableSize(block.RecordCount)), range.Stream, range.Epoch);
            for (var i = 0; i < block.RecordCount; i++)
            {
                Invariant.Check(records.MoveNext());
                table.Add(records.Current);
                AddPayload(records.Current.Payload);
            }

            table.Complete();
        }
    }

    private static ((int First, int Count)[] Blocks, DataBlockEntry[] Entries, long End) PlaceBlocks(IReadOnlyList<UploadRange> ranges, int blockBytes)
    {
        var blocks = new (int First, int Count)[ranges.Count];
        var entries = new List<DataBlockEntry>();
        var position = 0L;
        for (var i = 0; i < ranges.Count; i++)
        {
            var first = entries.Count;
            PlaceBlocks(ranges[i], blockBytes, entries, ref position);
            blocks[i] = (first, entries.Count - first);
        }

        return (blocks, [.. entries], position);
    }

    private static void PlaceBlocks(UploadRange range, int blockBytes, List<DataBlockEntry> entries, ref long position)
    {
        DataBlockEntry? open = null;
        foreach (var record in range.Records)
        {
            var (payload, next) = (record.Payload.Length, DataBlock.TableSize(1) - DataBlock.TableSize(0) + record.Payload.Length);
            // A record may be larger than a block, but a block that is full enough takes no large one in addition.
            if (open is { } block && block.RecordCount < MostRecords && block.Size - DataBlock.TableSize(block.RecordCount) + payload <= blockBytes)
            {
                open = block with
                {
                    EndOffset = record.EndOffset,
                    MaxTimestamp = Math.Max(block.MaxTimestamp, record.MaxTimestamp),
                    Size = block.Size + next,
                    RecordCount = block.RecordCount + 1,
                };
                continue;
            }

            End(open, ref position);
            open = new DataBlockEntry(record.BaseOffset, record.EndOffset, record.MaxTimestamp, position, DataBlock.TableSize(0) + next, 1);
        }

        End(open, ref position);

        void End(DataBlockEntry? ended, ref long position)
        {
            if (ended is { } block)
            {
                entries.Add(block);
                position += block.Size;
            }
        }
    }

    private static DataRangeEntry Describe(UploadRange range, (int First, int Count) blocks, DataBlockEntry[] entries, ref long position)
    {
        var (digest, maxTimestamp, offset) = (default(RangeDigest), blocks.Count == 0 ? -1 : long.MinValue, range.StartOffset);
        foreach (var record in range.Records)
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

    private static void WriteIndex(Span<byte> tail, DataObjectIndex index, ObjectKind kind, long indexPosition)
    {
        var encoded = tail[..index.EncodedSize];
        index.Write(encoded);
        new DataObjectFooter(index.Object, index.ObjectSize, indexPosition, encoded.Length, Crc32C.Of(encoded), kind).Write(tail[encoded.Length..]);
    }

    private static long IndexSize(int ranges, int blocks) =>
        DataObjectIndex.HeaderSize + (long)ranges * DataRangeEntry.EncodedSize + (long)blocks * DataBlockEntry.EncodedSize;

    /// <summary>Memory to be filled in; it stands at the end of what was added so far.</summary>
    private Span<byte> Own(int length)
    {
        if (_piece.Length - _end < length)
        {
            EndPart();
            var piece = _buffers.Rent((int)Math.Max(length, Math.Min(PieceBytes, _left)));
            _pieces.Add(piece);
            _heldBytes += piece.Capacity;
            _piece = piece.Memory;
            _begin = _end = 0;
        }

        var own = _piece.Span.Slice(_end, length);
        _end += length;
        _left -= length;
        return own;
    }

    private void AddPayload(ReadOnlyMemory<byte> payload)
    {
        if (payload.Length <= CopiedPayload)
        {
            payload.Span.CopyTo(Own(payload.Length));
        }
        else
        {
            Refer(payload);
        }
    }

    /// <summary>Adds memory where it is; it must stay unchanged for as long as the object lives.</summary>
    private void Refer(ReadOnlyMemory<byte> memory)
    {
        if (!memory.IsEmpty)
        {
            EndPart();
            Join(memory);
        }
    }

    private void EndPart()
    {
        if (_end > _begin)
        {
            Join(_piece[_begin.._end]);
            _begin = _end;
        }
    }

    private void Join(ReadOnlyMemory<byte> memory)
    {
        _joined.Add(memory);
        _heldBytes += PlaceBytes;
    }
}
