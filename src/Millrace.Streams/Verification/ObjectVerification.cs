using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Verification;

/// <summary>The verification of one object: its whole content against its index, and its index against the metadata.</summary>
internal sealed class ObjectVerification(DataObjectReader reader, ObjectId id, IReadOnlyList<ObjectRange> ranges, List<string> problems)
{
    private long _records;
    private long _bytes;

    public async Task<(long Records, long Bytes)> RunAsync(CancellationToken token)
    {
        try
        {
            if (await reader.ReadIndexAsync(id, ranges[0].ObjectSize, token) is not { } index)
            {
                problems.Add($"Object {DataObjectKey.Of(id)} is missing; stream {ranges[0].Stream} needs it");
                return (0, 0);
            }

            await VerifyAsync(index, token);
        }
        catch (StreamException damage) when (damage.Error == StreamError.Corrupt)
        {
            problems.Add(damage.Message);
        }

        return (_records, _bytes);
    }

    private async Task VerifyAsync(DataObjectIndex index, CancellationToken token)
    {
        var position = 0L;
        for (var i = 0; i < index.Ranges.Length; i++)
        {
            var entry = index.Ranges[i];
            List<ObjectRange> mine = [.. ranges.Where(range =>
                range.Stream == entry.Stream && range.Epoch == entry.Epoch
                && range.WrittenStartOffset >= entry.StartOffset && range.EndOffset <= entry.EndOffset)];
            position = await VerifyRangeAsync(index, entry, mine, position, token);
            await VerifyAttachmentAsync(entry.Checkpoint, token);
            await VerifyAttachmentAsync(entry.Annex, token);
        }

        foreach (var range in ranges)
        {
            var found = index.FindRange(range.Stream, range.WrittenStartOffset);
            if (found < 0 || index.Ranges[found].EndOffset < range.EndOffset || index.Ranges[found].Epoch != range.Epoch)
            {
                problems.Add($"Object {DataObjectKey.Of(id)} does not hold offsets [{range.StartOffset}, {range.EndOffset}) of stream {range.Stream}");
            }
            else if (range.HasCheckpoint && index.Ranges[found].Checkpoint.Length == 0)
            {
                problems.Add($"Object {DataObjectKey.Of(id)} lacks the checkpoint of stream {range.Stream} at {range.EndOffset}");
            }
        }
    }

    /// <summary>Reads a range's blocks, and returns the position after the last.</summary>
    private async Task<long> VerifyRangeAsync(
        DataObjectIndex index, DataRangeEntry entry, List<ObjectRange> mine, long position, CancellationToken token)
    {
        var whole = default(RangeDigest);
        var parts = new RangeDigest[mine.Count];
        var offset = entry.StartOffset;
        for (var block = entry.FirstBlock; block < entry.FirstBlock + entry.BlockCount; block++)
        {
            var place = index.Blocks[block];
            if (place.Position != position || place.FirstOffset != offset)
            {
                problems.Add($"Object {DataObjectKey.Of(id)} has a hole in stream {entry.Stream} at offset {offset}, position {position}");
            }

            position = place.Position + place.Size;
            offset = place.EndOffset;
            var bytes = new byte[place.Size];
            if (!await reader.ReadAsync(id, place.Position, bytes, token))
            {
                throw DataObjectReader.Corrupt(id, "it vanished while it was read");
            }

            var data = new DataBlock(bytes);
            if (data.FindFault(entry.Stream, entry.Epoch, place) is { } fault)
            {
                throw DataObjectReader.Corrupt(id, $"block at {place.Position}: {fault}");
            }

            whole += Digest(data, mine, parts);
        }

        if (offset != entry.EndOffset || whole != entry.Digest)
        {
            problems.Add($"Object {DataObjectKey.Of(id)} holds other records of stream {entry.Stream} than its index says");
        }

        for (var i = 0; i < mine.Count; i++)
        {
            if (mine[i].Digest != parts[i])
            {
                problems.Add(
                    $"Object {DataObjectKey.Of(id)} holds other records of stream {entry.Stream} than were committed, "
                    + $"in [{mine[i].StartOffset}, {mine[i].EndOffset})");
            }
        }

        return position;
    }

    private RangeDigest Digest(DataBlock data, List<ObjectRange> mine, RangeDigest[] parts)
    {
        var whole = default(RangeDigest);
        for (var i = 0; i < data.Count; i++)
        {
            var record = data[i];
            var digest = RecordDigest.Of(record);
            whole += digest;
            _records++;
            _bytes += record.Payload.Length;
            for (var part = 0; part < mine.Count; part++)
            {
                if (record.BaseOffset >= mine[part].WrittenStartOffset && record.EndOffset <= mine[part].EndOffset)
                {
                    parts[part] += digest;
                }
            }
        }

        return whole;
    }

    private async Task VerifyAttachmentAsync(AttachmentEntry attachment, CancellationToken token)
    {
        if (attachment.Length > 0 && await reader.ReadAttachmentAsync(id, attachment, token) is null)
        {
            throw DataObjectReader.Corrupt(id, "it vanished while it was read");
        }
    }
}
