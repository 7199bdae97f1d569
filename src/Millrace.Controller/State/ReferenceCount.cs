using Millrace.Runtime.Ids;

namespace Millrace.Controller.State;

/// <summary>By how much changes of streams change the number of references to each object. Threading: one at a time.</summary>
internal sealed class ReferenceCount
{
    private readonly Dictionary<ObjectId, int> _changes = [];

    public IReadOnlyDictionary<ObjectId, int> Changes => _changes;

    public void Add(ObjectId id, int change) => _changes[id] = _changes.GetValueOrDefault(id) + change;

    /// <summary>A range was committed to a stream.</summary>
    public void Commit(StreamState former, StreamState stream, ObjectId id)
    {
        if (former.Ranges != stream.Ranges)
        {
            Add(id, +1);
        }

        Change(former.Checkpoint, stream.Checkpoint);
    }

    /// <summary>A stream has lost ranges off its front, or all it had.</summary>
    public void Trim(StreamState former, StreamState? stream)
    {
        if (former.Ranges != stream?.Ranges)
        {
            var start = stream is null || stream.Ranges.IsEmpty ? long.MaxValue : stream.Ranges.StartOffset;
            foreach (var range in former.Ranges.TakeWhile(range => range.StartOffset < start))
            {
                Add(range.Object, -1);
            }
        }

        Change(former.Checkpoint, stream?.Checkpoint);
    }

    /// <summary>Ranges of a stream have given way to one that holds the same.</summary>
    public void Replace(StreamState former, StreamState stream, RangeState range)
    {
        if (range.EndOffset > range.StartOffset)
        {
            Add(range.Object, +1);
            foreach (var replaced in former.Ranges.After(range.StartOffset).TakeWhile(replaced => replaced.EndOffset <= range.EndOffset))
            {
                Add(replaced.Object, -1);
            }
        }

        Change(former.Checkpoint, stream.Checkpoint);
    }

    /// <summary>The objects as they are then.</summary>
    public ObjectImage ApplyTo(ObjectImage objects) =>
        _changes.Where(change => change.Value != 0).Aggregate(objects, (image, change) => image.Refer(change.Key, change.Value));

    private void Change(StreamCheckpoint? former, StreamCheckpoint? now)
    {
        if (former == now)
        {
            return;
        }

        if (now is not null)
        {
            Add(now.Object, +1);
        }

        if (former is not null)
        {
            Add(former.Object, -1);
        }
    }
}
