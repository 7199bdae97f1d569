using System.Collections.Immutable;
using Millrace.Metadata;
using Millrace.Protocol.Messages;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Verification;

namespace Millrace.Controller.State;

/// <summary>
/// All streams and the objects they lie in, as of one entry of the metadata log: the half of the metadata that stays with the
/// controller. Immutable.
/// </summary>
internal sealed partial record StreamImage
{
    public static StreamImage Empty { get; } = new();

    public ImmutableSortedDictionary<StreamId, StreamState> Streams { get; private init; } = ImmutableSortedDictionary<StreamId, StreamState>.Empty;

    public ObjectImage Objects { get; private init; } = ObjectImage.Empty;

    public long NextStreamId { get; private init; }

    public long NextObjectId { get; private init; }

    /// <summary>The streams whose last range is open, by its owner and the kind of that one's WAL in which it lies, 0 for the default.</summary>
    private ImmutableSortedDictionary<(NodeEpoch Owner, WalKind Wal), ImmutableSortedSet<StreamId>> OpenByWal { get; init; } =
        ImmutableSortedDictionary<(NodeEpoch Owner, WalKind Wal), ImmutableSortedSet<StreamId>>.Empty;

    /// <summary>The image of streams as they are, in the order of their ids.</summary>
    public static StreamImage Of(IReadOnlyCollection<StreamState> streams, ObjectImage objects, long nextStreamId, long nextObjectId) =>
        new()
        {
            Streams = ImmutableSortedDictionary.CreateRange(streams.Select(stream => KeyValuePair.Create(stream.Id, stream))),
            Objects = objects,
            NextStreamId = nextStreamId,
            NextObjectId = nextObjectId,
            OpenByWal = ImmutableSortedDictionary.CreateRange(
                streams.Where(stream => stream.OpenRange is not null)
                    .GroupBy(stream => PlaceOf(stream)!.Value, stream => stream.Id)
                    .Select(open => KeyValuePair.Create(open.Key, ImmutableSortedSet.CreateRange(open)))),
        };

    public StreamState? Find(StreamId stream) => Streams.GetValueOrDefault(stream);

    /// <summary>The streams whose last range an incarnation opened and that is not complete, whichever of its WALs that lies in; by that, and by id.</summary>
    public IEnumerable<StreamId> OpenStreamsOf(NodeIncarnation owner) =>
        OpenByWal.Where(open => open.Key.Owner == owner.Epoch).SelectMany(open => open.Value);

    /// <summary>Those of them whose range lies in the incarnation's additional WAL of a kind, or (null) in its default, if it has one; by id.</summary>
    public IReadOnlyCollection<StreamId> OpenStreamsIn(NodeIncarnation owner, WalKind? wal) => OpenByWal.GetValueOrDefault((owner.Epoch, wal ?? 0)) ?? [];

    /// <summary>The ranges of a stream that end after an offset, in order, with where they lie.</summary>
    public IEnumerable<ObjectRange> RangesAfter(StreamState stream, long offset) =>
        stream.Ranges.After(offset).Select(range => Place(stream, stream.EpochAt(range.StartOffset), range));

    /// <summary>The newest range of a stream with a checkpoint, with where it lies.</summary>
    public ObjectRange? CheckpointOf(StreamState stream) => stream.Checkpoint is { } checkpoint ? Place(stream, checkpoint.Epoch, checkpoint.Range) : null;

    /// <summary>What lies of a stream in some objects; nothing of one that is gone.</summary>
    public StreamHolding HoldingOf(StreamId id, IReadOnlySet<ObjectId> objects)
    {
        if (Find(id) is not { } stream)
        {
            return new StreamHolding([], null);
        }

        var checkpoint = stream.Checkpoint is { } newest && objects.Contains(newest.Object) ? CheckpointOf(stream) : null;
        return new StreamHolding(
            [
                .. stream.Ranges.Where(range => objects.Contains(range.Object))
                    .Select(range => Place(stream, stream.EpochAt(range.StartOffset), range)),
            ],
            checkpoint);
    }

    /// <summary>Records that make this image out of the empty one. The counters are not among them (<see cref="ClusterState.ToRecords"/>).</summary>
    public IEnumerable<IRecord> ToRecords()
    {
        foreach (var state in Objects.All.Values)
        {
            yield return state.ToRecord();
        }

        foreach (var stream in Streams.Values)
        {
            yield return stream.ToRecord();
            foreach (var piece in stream.Ranges.Pieces)
            {
                yield return new StreamRangesRecord
                {
                    StreamId = stream.Id.Value, StartOffset = piece.StartOffset, Count = piece.Count, Ranges = piece.Bytes,
                };
            }

            if (stream.Checkpoint is { } checkpoint)
            {
                yield return new StreamCheckpointRecord
                {
                    StreamId = stream.Id.Value,
                    Epoch = checkpoint.Epoch.Value,
                    StartOffset = checkpoint.Range.StartOffset,
                    Range = PackedRanges.Of(checkpoint.Range).Bytes,
                };
            }
        }
    }

    /// <summary>What a verification of the bucket compares it with.</summary>
    public StoreInventory ToInventory() =>
        new(
            [
                .. Streams.Values.Select(stream => new StreamInventory(
                    stream.Id, stream.StartOffset, stream.CommittedEnd, [.. RangesAfter(stream, stream.StartOffset)], CheckpointOf(stream))),
            ],
            Objects.Prepared.Union(Objects.Unreferenced).Union(Objects.Deleting),
            new ObjectId(NextObjectId));

    private static (NodeEpoch Owner, WalKind Wal)? PlaceOf(StreamState? stream) =>
        stream?.OpenRange is { } open ? (open.Owner.Epoch, open.Wal ?? 0) : null;

    private ObjectRange Place(StreamState stream, StreamEpoch epoch, RangeState range)
    {
        var state = Objects.All[range.Object];
        return new ObjectRange(
            range.Object, state.Kind, state.Size, stream.Id, epoch, range.StartOffset, range.EndOffset, range.Bytes, range.MaxTimestamp,
            range.HasCheckpoint, state.Digest)
        {
            Store = state.Store,
            WrittenStartOffset = range.WrittenStartOffset,
        };
    }
}
