using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Compaction;

/// <summary>Says which ranges of a stream become one.</summary>
/// <remarks>
/// A range has one epoch, one annex, and a checkpoint at its end alone. So a stream's newest checkpoint ends one; where it is within another range, or its
/// records are gone, it goes by itself, before all ranges of the stream: <see cref="DataObjectIndex.FindRange"/> knows it there.
/// </remarks>
internal static class RangeMerge
{
    /// <param name="stream">The stream.</param>
    /// <param name="holding">What lies of it in the sources.</param>
    /// <param name="sources">By id.</param>
    /// <param name="mostBytes">None becomes larger by merging.</param>
    /// <exception cref="StreamException">Corrupt: a source does not hold what it should.</exception>
    public static IReadOnlyList<MergedRange> Of(
        StreamId stream, StreamHolding holding, IReadOnlyDictionary<ObjectId, SourceObject> sources, long mostBytes)
    {
        var checkpoint = holding.Checkpoint is { } newest && sources.TryGetValue(newest.Object, out var keeper) ? CheckpointOf(keeper, newest) : null;
        var merged = new List<MergedRange>();
        var parts = new List<MergedPart>();
        var bytes = 0L;
        foreach (var range in holding.Ranges.Where(range => sources.ContainsKey(range.Object)))
        {
            var source = sources[range.Object];
            var part = new MergedPart(source, range, source.EntryOf(range));
            var size = source.BytesOf(part.Entry);
            if (parts.Count > 0 && (!Follows(parts[^1], part, checkpoint) || bytes + size > mostBytes))
            {
                merged.Add(Join(parts, checkpoint));
                (parts, bytes) = ([], 0);
            }

            parts.Add(part);
            bytes += size;
        }

        if (parts.Count > 0)
        {
            merged.Add(Join(parts, checkpoint));
        }

        return checkpoint is not null && !merged.Exists(range => range.Checkpoint is not null) ? [checkpoint, .. merged] : merged;
    }

    private static bool Follows(MergedPart before, MergedPart part, MergedRange? checkpoint) =>
        before.Range.EndOffset == part.Range.StartOffset && before.Range.Epoch == part.Range.Epoch && !Ends(before, checkpoint)
        && before.Entry.Annex.Length == 0 && part.Entry.Annex.Length == 0;

    private static bool Ends(MergedPart part, MergedRange? checkpoint) =>
        checkpoint?.EndOffset == part.Range.EndOffset && checkpoint.Epoch == part.Range.Epoch;

    private static MergedRange Join(List<MergedPart> parts, MergedRange? checkpoint)
    {
        var (first, last) = (parts[0], parts[^1]);
        return new MergedRange(first.Range.Stream, first.Range.Epoch, first.Range.StartOffset, last.Range.EndOffset, parts)
        {
            Checkpoint = Ends(last, checkpoint) ? checkpoint!.Checkpoint : null,
            Annex = last.Entry.Annex.Length > 0 ? new KeptAttachment(last.Source, last.Entry.Annex) : null,
        };
    }

    /// <summary>A checkpoint by itself.</summary>
    private static MergedRange CheckpointOf(SourceObject source, ObjectRange range)
    {
        var entry = source.EntryOf(range);
        return entry.Checkpoint.Length > 0
            ? new MergedRange(range.Stream, range.Epoch, range.EndOffset, range.EndOffset, [])
            {
                Checkpoint = new KeptAttachment(source, entry.Checkpoint),
            }
            : throw DataObjectReader.Corrupt(source.Id, $"it lacks the checkpoint of stream {range.Stream} at {range.EndOffset}");
    }
}
