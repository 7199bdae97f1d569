namespace Millrace.Streams.State;

/// <summary>Tasks that wait for an offset to be reached.</summary>
/// <remarks>Threading: one caller at a time (the stream's lock).</remarks>
internal sealed class OffsetWaiters
{
    private readonly List<(long Offset, TaskCompletionSource Reached)> _waiting = [];

    public bool Any => _waiting.Count > 0;

    /// <summary>Whoever waits for the same offset waits for the same task: a wait that was given up, and begun again, adds nothing.</summary>
    public Task Add(long offset)
    {
        if (_waiting.Find(other => other.Offset == offset).Reached is { } known)
        {
            return known.Task;
        }

        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Add((offset, reached));
        return reached.Task;
    }

    public void Advance(long offset)
    {
        for (var i = _waiting.Count - 1; i >= 0; i--)
        {
            if (_waiting[i].Offset <= offset)
            {
                _waiting[i].Reached.TrySetResult();
                _waiting.RemoveAt(i);
            }
        }
    }

    public void Fail(StreamException reason)
    {
        _waiting.ForEach(waiting => waiting.Reached.TrySetException(reason));
        _waiting.Clear();
    }
}
