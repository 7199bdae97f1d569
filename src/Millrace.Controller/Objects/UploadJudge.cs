using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Objects;

/// <summary>Judges the commit of an upload, range by range, and commits what counts of it.</summary>
internal static class UploadJudge
{
    public static IReadOnlyList<RangeVerdict> Commit(PendingEntry entry, UploadCommit commit)
    {
        entry.RequireLive(commit.Node);
        var objects = ObjectsOf(commit);
        if (AreCommitted(entry, objects))
        {
            return [.. commit.Ranges.Select(range => Remember(entry, range))];
        }

        RequirePrepared(entry, commit, objects);
        var recovered = FindRecovered(entry, commit);
        var verdicts = new RangeVerdict[commit.Ranges.Count];
        var accepted = new UploadWriter();
        ObjectId[] numbered = [.. objects.Keys];

        // Ranges of one stream follow one another, perhaps over several objects: each is judged after those before it.
        var ends = new SortedDictionary<StreamId, long>();
        for (var i = 0; i < verdicts.Length; i++)
        {
            var range = commit.Ranges[i];
            var stream = entry.Streams.Find(range.Stream);
            var end = stream is null ? 0 : ends.GetValueOrDefault(range.Stream, stream.CommittedEnd);
            verdicts[i] = stream is null
                ? new RangeVerdict(RangeOutcome.Void, range.StartOffset)
                : Judge(end, range, IsItsOwn(stream, range), isRecovery: commit.WalId is not null);
            if (verdicts[i].Outcome is RangeOutcome.Accepted or RangeOutcome.Cut)
            {
                ends[range.Stream] = range.EndOffset;
                accepted.Add(range.Stream, Array.BinarySearch(numbered, range.Object), new RangeState(
                    range.Object, verdicts[i].StartOffset, range.EndOffset, range.WrittenStartOffset, range.Bytes, range.MaxTimestamp, range.HasCheckpoint));
            }
        }

        entry.Add(ToRecord(entry, commit, objects, accepted.ToBytes()));
        return verdicts;

        // What a recovery brings of a stream that was planned to another node meanwhile is that one's to bring.
        bool IsItsOwn(StreamState stream, ObjectRange range) =>
            stream.OpenRange is { } open && open.Epoch == range.Epoch
            && (commit.WalId is null
                ? open.Owner == commit.Node
                : recovered is { } wal && wal.Holds(open) && entry.State.IsPlannedTo(stream, commit.Node.Node));
    }

    private static RangeVerdict Judge(long committedEnd, ObjectRange range, bool isOwned, bool isRecovery)
    {
        if (!isOwned)
        {
            // A complete range lost nothing, or its loss was accepted: what a recovered WAL holds of it does not count; nor does what another brings. A living
            // owner, though, that has more than what was closed has acknowledged records that nobody else will ever see.
            return new RangeVerdict(
                isRecovery || range.EndOffset <= committedEnd ? RangeOutcome.Void : RangeOutcome.Gap, range.StartOffset);
        }

        if (range.StartOffset > committedEnd)
        {
            return new RangeVerdict(RangeOutcome.Gap, range.StartOffset);
        }

        if (range.StartOffset == committedEnd)
        {
            return new RangeVerdict(RangeOutcome.Accepted, range.StartOffset);
        }

        return range.EndOffset > committedEnd
            ? new RangeVerdict(RangeOutcome.Cut, committedEnd)
            : new RangeVerdict(RangeOutcome.Void, range.StartOffset);
    }

    /// <summary>The verdict of a commit that was already judged: what of the range lies in this very object counts.</summary>
    private static RangeVerdict Remember(PendingEntry entry, ObjectRange range)
    {
        if (entry.Streams.Find(range.Stream) is not { } stream)
        {
            return new RangeVerdict(RangeOutcome.Void, range.StartOffset);
        }

        foreach (var found in stream.Ranges.After(range.StartOffset))
        {
            if (found.Object == range.Object && found.WrittenStartOffset == range.StartOffset && found.EndOffset == range.EndOffset)
            {
                return new RangeVerdict(found.StartOffset == range.StartOffset ? RangeOutcome.Accepted : RangeOutcome.Cut, found.StartOffset);
            }

            if (found.StartOffset >= range.EndOffset)
            {
                break;
            }
        }

        var isCheckpoint = stream.Checkpoint is { } checkpoint && checkpoint.Object == range.Object && checkpoint.Range.EndOffset == range.EndOffset;
        return new RangeVerdict(isCheckpoint ? RangeOutcome.Accepted : RangeOutcome.Void, range.StartOffset);
    }

    private static SortedDictionary<ObjectId, ObjectRange> ObjectsOf(UploadCommit commit)
    {
        var objects = new SortedDictionary<ObjectId, ObjectRange>();
        foreach (var range in commit.Ranges)
        {
            if (range.EndOffset < range.StartOffset || range.Bytes < 0 || (range.EndOffset == range.StartOffset && !range.HasCheckpoint))
            {
                throw new ArgumentException(
                    $"Stream {range.Stream}: a range from {range.StartOffset} to {range.EndOffset}, of {range.Bytes} bytes, holds nothing", nameof(commit));
            }

            if (range.EndOffset - range.StartOffset is < 0 or > RangeState.MostOffsets)
            {
                throw new ArgumentException(
                    $"Stream {range.Stream}: a range from {range.StartOffset} to {range.EndOffset} holds more than there can be", nameof(commit));
            }

            objects.TryAdd(range.Object, range);
        }

        return objects;
    }

    /// <summary>One entry commits all objects of an upload, so one that is committed stands for all.</summary>
    private static bool AreCommitted(PendingEntry entry, SortedDictionary<ObjectId, ObjectRange> objects) =>
        objects.Keys.Any(id => entry.Streams.Objects.Find(id)?.Phase == ObjectPhase.Committed);

    private static void RequirePrepared(PendingEntry entry, UploadCommit commit, SortedDictionary<ObjectId, ObjectRange> objects)
    {
        foreach (var (id, range) in objects)
        {
            if (entry.Streams.Objects.Find(id) is not { Phase: ObjectPhase.Prepared } state || state.Owner != commit.Node || state.Store != range.Store)
            {
                throw new StreamException(
                    StreamError.PrepareExpired, $"Object {id} is not prepared for node {commit.Node.Node} any more: the upload took too long");
            }
        }
    }

    /// <summary>
    /// The WAL of a fenced incarnation that an upload recovers: what lies in it is what it may commit. Null where nothing does any more, or where it commits
    /// the uploader's own.
    /// </summary>
    private static WalImage? FindRecovered(PendingEntry entry, UploadCommit commit)
    {
        // A WAL that is no longer needed has been recovered: no open range lies in it, so every range will be void.
        if (commit.WalId is not { } walId || !entry.Cluster.Wals.TryGetValue(walId, out var wal) || wal.State == WalState.Retired)
        {
            return null;
        }

        return wal.State == WalState.AwaitsRecovery
            ? wal
            : throw new StreamException(StreamError.Incomplete, $"WAL {walId} is not recovered: its owner, node {wal.Node}, is not fenced");
    }

    private static UploadCommittedRecord ToRecord(
        PendingEntry entry, UploadCommit commit, SortedDictionary<ObjectId, ObjectRange> objects, ReadOnlyMemory<byte> ranges)
    {
        var bytes = commit.Ranges.GroupBy(range => range.Object).ToDictionary(lies => lies.Key, lies => lies.Sum(range => range.Bytes));
        var deleted = commit.Ranges.Where(range => entry.Streams.Find(range.Stream) is null).Select(range => range.Object).ToHashSet();
        return new UploadCommittedRecord
        {
            Objects =
            [
                .. objects.Values.Select(@object => new UploadCommittedRecord.CommittedObject
                {
                    StoreId = @object.Store.Value,
                    ObjectId = @object.Object.Value,
                    Kind = (sbyte)@object.Kind,
                    Size = @object.ObjectSize,
                    DigestHigh = unchecked((long)@object.ObjectDigest.High),
                    DigestLow = unchecked((long)@object.ObjectDigest.Low),
                    Bytes = bytes[@object.Object],
                    HasDeleted = deleted.Contains(@object.Object),
                }),
            ],
            Ranges = ranges,
        };
    }
}
