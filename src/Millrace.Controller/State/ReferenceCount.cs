using Millrace.Runtime.Ids;

namespace Millrace.Controller.State;

/// <summary>By how much changes of streams change the number of references to each object. Threading: one at a time.</summary>
internal sealed class ReferenceCount
{
    private readonly Dictionary<ObjectId, int> _changes = [];

    public IReadOnlyDictionary<ObjectId, int> Changes => _changes;

    public void Add(ObjectId id, int change) => _changes[id] = _changes.GetValueOrDefault(id) + change;

    /// <summary>A change takes ranges off the front or adds them at the end, so only those need a look.</summary>
    /// <param name="former">Null for a new stream.</param>
    /// <param name="stream">Null for one that is gone.</param>
    public void Add(StreamState? former, StreamState? stream)
    {
        var before = former?.Ranges ?? StreamRanges.Empty;
        var after = stream?.Ranges ?? StreamRanges.Empty;
        if (before != after)
        {
            var start = after.IsEmpty ? long.MaxValue : after.StartOffset;
            foreach (var range in before.TakeWhile(range => range.StartOffset < start))
            {
                Add(range.Object, -1);
            }

            foreach (var range in before.IsEmpty ? after : after.After(before.EndOffset))
            {
                Add(range.Object, +1);
            }
        }

        if (former?.Checkpoint != stream?.Checkpoint)
        {
            Add(stream?.Checkpoint, +1);
            Add(former?.Checkpoint, -1);
        }
    }

    /// <summary>The objects as they are then.</summary>
    public ObjectImage ApplyTo(ObjectImage objects) =>
        _changes.Where(change => change.Value != 0).Aggregate(objects, (image, change) => image.Refer(change.Key, change.Value));

    private void Add(StreamCheckpoint? checkpoint, int change)
    {
        if (checkpoint is not null)
        {
            Add(checkpoint.Object, change);
        }
    }
}
