using System.Collections.Immutable;
using Millrace.Protocol.Messages;
using Millrace.Runtime.Ids;
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

    /// <summary>The streams whose last range is open, by its owner.</summary>
    private ImmutableSortedDictionary<NodeEpoch, ImmutableSortedSet<StreamId>> OpenByOwner { get; init; } =
        ImmutableSortedDictionary<NodeEpoch, ImmutableSortedSet<StreamId>>.Empty;

    public StreamState? Find(StreamId stream) => Streams.GetValueOrDefault(stream);

    /// <summary>The streams whose last range an incarnation opened and that is not complete, by id.</summary>
    public IReadOnlyCollection<StreamId> OpenStreamsOf(NodeIncarnation owner) => OpenByOwner.GetValueOrDefault(owner.Epoch) ?? [];

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
            var checkpointIsListed = false;
            foreach (var range in stream.Ranges)
            {
                checkpointIsListed |= range == stream.Checkpoint;
                yield return RangeRecords.ToSnapshot(range, isCheckpointOnly: false);
            }

            if (stream.Checkpoint is { } checkpoint && !checkpointIsListed)
            {
                yield return RangeRecords.ToSnapshot(checkpoint, isCheckpointOnly: true);
            }
        }
    }

    /// <summary>What a verification of the bucket compares it with.</summary>
    public StoreInventory ToInventory() =>
        new(
            [
                .. Streams.Values.Select(stream => new StreamInventory(
                    stream.Id, stream.StartOffset, stream.CommittedEnd, stream.Ranges, stream.Checkpoint)),
            ],
            Objects.Prepared.Union(Objects.Unreferenced).Union(Objects.Deleting),
            new ObjectId(NextObjectId));
}
