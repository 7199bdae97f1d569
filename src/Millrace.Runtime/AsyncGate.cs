namespace Millrace.Runtime;

/// <summary>
/// Lets a number of holders in at a time, in the order they came. What SemaphoreSlim is for, except that its waits with a
/// token continue on the thread pool, where the simulator cannot follow.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="places">How many may hold it at once; 1 makes it a lock.</param>
public sealed class AsyncGate(int places)
{
    private readonly Lock _lock = new();
    private readonly int _places = places;
    private readonly LinkedList<TaskCompletionSource> _waiting = new();
    private int _free = places;

    /// <summary>Waits for a place. Whoever got one gives it back with <see cref="Exit"/>.</summary>
    public async ValueTask EnterAsync(CancellationToken token)
    {
        token.ThrowIfCancellationRequested();
        LinkedListNode<TaskCompletionSource> mine;
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return;
            }

            mine = _waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        using var registration = token.UnsafeRegister(_ => GiveUp(mine, token), null);
        await mine.Value.Task;
    }

    /// <summary>Takes a place if one is free: nobody waits then.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (_free == 0)
            {
                return false;
            }

            _free--;
            return true;
        }
    }

    public void Exit()
    {
        TaskCompletionSource? next;
        lock (_lock)
        {
            next = _waiting.First?.Value;
            if (next is null)
            {
                Invariant.Check(_free < _places);
                _free++;
                return;
            }

            _waiting.RemoveFirst();
        }

        next.SetResult();
    }

    // Whoever has left the queue holds a place and must not be cancelled: the place would be lost.
    private void GiveUp(LinkedListNode<TaskCompletionSource> waiter, CancellationToken token)
    {
        lock (_lock)
        {
            if (waiter.List is null)
            {
                return;
            }

            _waiting.Remove(waiter);
        }

        waiter.Value.SetCanceled(token);
    }
}
