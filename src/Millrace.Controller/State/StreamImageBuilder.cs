using Millrace.Metadata;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.State;

/// <summary>The streams and objects of a snapshot, as its records say one after the other. Threading: one at a time.</summary>
internal sealed class StreamImageBuilder
{
    private readonly Dictionary<ObjectId, ObjectState> _objects = [];
    private readonly List<StreamState> _streams = [];
    private readonly ReferenceCount _references = new();
    private CountersRecord _counters = new();

    public void Count(CountersRecord counters) => _counters = counters;

    /// <returns>False for a record of the other half.</returns>
    /// <exception cref="ProtocolException">The bytes of a record are malformed.</exception>
    public bool Add(IRecord record)
    {
        switch (record)
        {
            case ObjectRecord @object:
                var state = ObjectState.From(@object);
                _objects.Add(state.Id, state);
                return true;
            case StreamStateRecord stream:
                Invariant.Check(_streams.Count == 0 || _streams[^1].Id.Value < stream.StreamId);
                _streams.Add(StreamState.From(stream));
                return true;
            case StreamRangesRecord ranges:
                var piece = PackedRanges.Read(ranges.StartOffset, ranges.Ranges, _references.Add);
                Invariant.Check(piece.Count == ranges.Count);
                Change(ranges.StreamId, stream => stream with { Ranges = stream.Ranges.Add(piece) });
                return true;
            case StreamCheckpointRecord checkpoint:
                var range = PackedRanges.Read(checkpoint.StartOffset, checkpoint.Range, _ => { }).Unpack().Single();
                var newest = new StreamCheckpoint(new StreamEpoch(checkpoint.Epoch), range);
                _references.Add(newest);
                Change(checkpoint.StreamId, stream => stream with { Checkpoint = newest });
                return true;
            default:
                return false;
        }
    }

    public StreamImage Build()
    {
        foreach (var (id, change) in _references.Changes)
        {
            _objects[id] = _objects[id] with { References = change.Count, LiveBytes = change.Bytes };
        }

        return StreamImage.Of(_streams, ObjectImage.Of(_objects.Values), _counters.NextStreamId, _counters.NextObjectId);
    }

    // What belongs to a stream comes right behind it.
    private void Change(long stream, Func<StreamState, StreamState> change)
    {
        Invariant.Check(_streams.Count > 0 && _streams[^1].Id.Value == stream);
        _streams[^1] = change(_streams[^1]);
    }
}
