using Millrace.Runtime.Ids;

namespace Millrace.Controller.State;

/// <summary>By how much changes of streams change what refers to each object. Threading: one at a time.</summary>
internal sealed class ReferenceCount
{
    private readonly Dictionary<ObjectId, ReferenceChange> _changes = [];

    public IReadOnlyDictionary<ObjectId, ReferenceChange> Changes => _changes;

    /// <summary>A range refers to its object.</summary>
    public void Add(RangeState range) => Add(range.Object, new ReferenceChange(+1, range.Bytes));

    /// <summary>A newest checkpoint refers to its object.</summary>
    public void Add(StreamCheckpoint checkpoint) => Add(checkpoint.Object, new ReferenceChange(+1, 0));

    /// <summary>A range was committed to a stream.</summary>
    public void Commit(StreamState former, StreamState stream, RangeState range)
    {
        if (former.Ranges != stream.Ranges)
        {
            Add(range);
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
                Remove(range);
            }
        }

        Change(former.Checkpoint, stream?.Checkpoint);
    }

    /// <summary>Ranges of a stream have given way to one that holds the same.</summary>
    public void Replace(StreamState former, StreamState stream, RangeState range)
    {
        if (range.EndOffset > range.StartOffset)
        {
            Add(range);
            foreach (var replaced in former.Ranges.After(range.StartOffset).TakeWhile(replaced => replaced.EndOffset <= range.EndOffset))
            {
                Remove(replaced);
            }
        }

        Change(former.Checkpoint, stream.Checkpoint);
    }

    /// <summary>The objects as they are then.</summary>
    public ObjectImage ApplyTo(ObjectImage objects) =>
        _changes.Where(change => change.Value != default).Aggregate(objects, (image, change) => image.Refer(change.Key, change.Value));

    private void Change(StreamCheckpoint? former, StreamCheckpoint? now)
    {
        if (former == now)
        {
            return;
        }

        if (now is not null)
        {
            Add(now);
        }

        if (former is not null)
        {
            Add(former.Object, new ReferenceChange(-1, 0));
        }
    }

    private void Remove(RangeState range) => Add(range.Object, new ReferenceChange(-1, -range.Bytes));

    private void Add(ObjectId id, ReferenceChange change) => _changes[id] = _changes.GetValueOrDefault(id) + change;
}
