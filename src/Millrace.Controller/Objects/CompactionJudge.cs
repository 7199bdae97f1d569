using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Objects;

/// <summary>Judges an object of a compaction, range by range, and puts what counts of it in the place of what it was made of.</summary>
/// <remarks>
/// Nothing but where records lie changes by that: no offset, no epoch, no end. So it makes no difference who owns a stream, or whether anybody does.
/// </remarks>
internal static class CompactionJudge
{
    /// <returns>How many ranges gave way.</returns>
    public static int Commit(PendingEntry entry, CompactionCommit commit, CompactionRules rules)
    {
        entry.RequireLive(commit.Node);
        var first = commit.Ranges[0];
        var state = entry.Streams.Objects.Find(first.Object);
        if (state?.Phase == ObjectPhase.Committed)
        {
            // The answer to the first call was lost.
            return 0;
        }

        if (state is not { Phase: ObjectPhase.Prepared } || state.Owner != commit.Node || state.Store != first.Store)
        {
            throw new StreamException(
                StreamError.PrepareExpired, $"Object {first.Object} is not prepared for node {commit.Node.Node} any more: the compaction took too long");
        }

        RequireOrder(commit.Ranges);
        RequireDigests(entry, commit);
        var sources = commit.Sources.Select(source => source.Object).ToHashSet();
        var counting = new List<(StreamId, RangeState)>();
        var replaced = 0;
        foreach (var range in commit.Ranges)
        {
            if (entry.Streams.Find(range.Stream) is { } stream && Judge(stream, range, sources, rules, ref replaced) is { } counts)
            {
                counting.Add((range.Stream, counts));
            }
        }

        entry.Add(new ObjectCompactedRecord
        {
            StoreId = first.Store.Value,
            ObjectId = first.Object.Value,
            Kind = (sbyte)first.Kind,
            Size = first.ObjectSize,
            DigestHigh = unchecked((long)first.ObjectDigest.High),
            DigestLow = unchecked((long)first.ObjectDigest.Low),
            Bytes = commit.Ranges.Sum(range => range.Bytes),
            HasDeleted = commit.Ranges.Any(range => entry.Streams.Find(range.Stream) is null),
            Ranges = CompactedRanges.Pack(counting),
        });
        return replaced;
    }

    /// <summary>What counts of a range; null if nothing does.</summary>
    private static RangeState? Judge(StreamState stream, ObjectRange range, HashSet<ObjectId> sources, CompactionRules rules, ref int replaced)
    {
        var start = stream.Ranges.IsEmpty ? range.EndOffset : Math.Max(range.StartOffset, stream.Ranges.StartOffset);
        RangeState[] former = range.EndOffset > start
            ? [.. stream.Ranges.After(start).TakeWhile(other => other.StartOffset < range.EndOffset)]
            : [];
        var holds = rules.AreTheSame(former, start, range.EndOffset, other => sources.Contains(other.Object))
            && stream.EpochAt(start) == range.Epoch && stream.EpochAt(former[^1].StartOffset) == range.Epoch;
        var hasCheckpoint = range.HasCheckpoint && stream.Checkpoint is { } newest && newest.Epoch == range.Epoch
            && newest.Range.EndOffset == range.EndOffset && sources.Contains(newest.Object);
        if (!holds && !hasCheckpoint)
        {
            return null;
        }

        replaced += holds ? former.Length : 0;
        return new RangeState(
            range.Object, holds ? start : range.EndOffset, range.EndOffset, range.StartOffset, range.Bytes, range.MaxTimestamp, hasCheckpoint);
    }

    /// <summary>What the object holds was in its sources, and what each of them holds is known: nothing was lost or changed on the way.</summary>
    private static void RequireDigests(PendingEntry entry, CompactionCommit commit)
    {
        var taken = default(RangeDigest);
        foreach (var source in commit.Sources)
        {
            if (entry.Streams.Objects.Find(source.Object) is not { Phase: not ObjectPhase.Prepared } known)
            {
                throw new StreamException(StreamError.Incomplete, $"Object {source.Object} is gone: nothing counts that was taken from it");
            }

            if (source.Taken + source.Rest != known.Digest)
            {
                throw new ArgumentException($"Object {source.Object} holds other records than were found in it", nameof(commit));
            }

            taken += source.Taken;
        }

        if (taken != commit.Ranges[0].ObjectDigest)
        {
            throw new ArgumentException($"Object {commit.Ranges[0].Object} holds other records than were taken from its sources", nameof(commit));
        }
    }

    // Each is judged by what there was before: so none may overlap another.
    private static void RequireOrder(IReadOnlyList<ObjectRange> ranges)
    {
        var (stream, next) = (default(StreamId), 0L);
        foreach (var range in ranges)
        {
            next = range.Stream == stream ? next : 0;
            var length = range.EndOffset - range.StartOffset;
            if (length is < 0 or > RangeState.MostOffsets || range.Bytes < 0 || (length == 0 && !range.HasCheckpoint)
                || (length > 0 && range.StartOffset < next) || range.Stream < stream)
            {
                throw new ArgumentException(
                    $"Stream {range.Stream}: a range from {range.StartOffset} to {range.EndOffset}, of {range.Bytes} bytes, is none, or is out of order",
                    nameof(ranges));
            }

            (stream, next) = (range.Stream, length > 0 ? range.EndOffset : next);
        }
    }
}
