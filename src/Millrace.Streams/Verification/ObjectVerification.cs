using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Verification;

/// <summary>The verification of one object: its whole content against its index, and its index against the metadata.</summary>
internal sealed class ObjectVerification(DataObjectReader reader, ObjectId id, IReadOnlyList<ObjectRange> ranges, List<string> problems)
{
    private RangeDigest _digest;
    private long _records;
    private long _bytes;

    /// <summary>Says so where the object is gone: that is a problem only if the metadata still refer to it.</summary>
    public string? Missing { get; private set; }

    public async Task<(long Records, long Bytes)> RunAsync(CancellationToken token)
    {
        try
        {
            if (await reader.ReadIndexAsync(id, ranges[0].ObjectSize, token) is not { } index)
            {
                Missing = $"Object {DataObjectKey.Of(id)} is missing; stream {ranges[0].Stream} needs it";
                return (0, 0);
            }

            await VerifyAsync(index, token);
        }
        catch (StreamException damage) when (damage.Error == StreamError.Corrupt)
        {
            problems.Add(damage.Message);
        }
        catch (StreamException gone) when (gone.Error == StreamError.Incomplete)
        {
            Missing = gone.Message;
        }

        return (_records, _bytes);
    }

    private async Task VerifyAsync(DataObjectIndex index, CancellationToken token)
    {
        var position = 0L;
        for (var i = 0; i < index.Ranges.Length; i++)
        {
            var entry = index.Ranges[i];
            position = await VerifyRangeAsync(index, entry, position, token);
            await VerifyAttachmentAsync(entry.Checkpoint, token);
            await VerifyAttachmentAsync(entry.Annex, token);
        }

        if (_digest != ranges[0].ObjectDigest)
        {
            problems.Add($"Object {DataObjectKey.Of(id)} holds other records than were committed");
        }

        foreach (var range in ranges)
        {
            var found = index.FindRange(range.Stream, range.WrittenStartOffset, range.EndOffset);
            if (found < 0 || !Holds(index.Ranges[found], range))
            {
                problems.Add($"Object {DataObjectKey.Of(id)} does not hold offsets [{range.StartOffset}, {range.EndOffset}) of stream {range.Stream}");
            }
            else if (range.HasCheckpoint && index.Ranges[found].Checkpoint.Length == 0)
            {
                problems.Add($"Object {DataObjectKey.Of(id)} lacks the checkpoint of stream {range.Stream} at {range.EndOffset}");
            }
        }
    }

    // What is committed is what was written, or the end of it.
    private static bool Holds(DataRangeEntry entry, ObjectRange range) =>
        entry.Epoch == range.Epoch && entry.StartOffset == range.WrittenStartOffset && entry.EndOffset == range.EndOffset
        && range.StartOffset >= range.WrittenStartOffset;

    /// <summary>Reads a range's blocks, and returns the position after the last.</summary>
    private async Task<long> VerifyRangeAsync(DataObjectIndex index, DataRangeEntry entry, long position, CancellationToken token)
    {
        var digest = default(RangeDigest);
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
                throw Vanished();
            }

            var data = new DataBlock(bytes);
            if (data.FindFault(entry.Stream, entry.Epoch, place) is { } fault)
            {
                throw DataObjectReader.Corrupt(id, $"block at {place.Position}: {fault}");
            }

            digest += Digest(data);
        }

        if (offset != entry.EndOffset || digest != entry.Digest)
        {
            problems.Add($"Object {DataObjectKey.Of(id)} holds other records of stream {entry.Stream} than its index says");
        }

        _digest += digest;
        return position;
    }

    private RangeDigest Digest(DataBlock data)
    {
        var digest = default(RangeDigest);
        for (var i = 0; i < data.Count; i++)
        {
            var record = data[i];
            digest += RecordDigest.Of(record);
            _records++;
            _bytes += record.Payload.Length;
        }

        return digest;
    }

    private async Task VerifyAttachmentAsync(AttachmentEntry attachment, CancellationToken token)
    {
        if (attachment.Length > 0 && await reader.ReadAttachmentAsync(id, attachment, token) is null)
        {
            throw Vanished();
        }
    }

    private StreamException Vanished() => new(StreamError.Incomplete, $"Object {DataObjectKey.Of(id)} vanished while it was read");
}
