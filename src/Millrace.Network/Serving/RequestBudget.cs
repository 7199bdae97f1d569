using Millrace.Runtime;

namespace Millrace.Network.Serving;

/// <summary>
/// Bounds the bytes of requests that are under way. Whoever does not find room waits in turn, and meanwhile does not read its
/// socket: TCP tells the peer. Safe for use from any thread.
/// </summary>
internal sealed class RequestBudget(long capacity)
{
    private readonly Lock _lock = new();
    private readonly Queue<Waiter> _newFrames = new();
    private readonly Queue<Waiter> _growing = new();
    private long _used;
    private bool _overdrawn;

    public long Capacity => capacity;

    /// <summary>Frames that wait for room.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _newFrames.Count + _growing.Count;
            }
        }
    }

    public long Used
    {
        get
        {
            lock (_lock)
            {
                return _used;
            }
        }
    }

    /// <summary>Takes room for a new frame. A frame larger than the whole budget passes when it is alone.</summary>
    public ValueTask<BudgetLease> AcquireAsync(long bytes, CancellationToken token)
    {
        lock (_lock)
        {
            if (_newFrames.Count == 0 && _growing.Count == 0 && Fits(bytes))
            {
                _used += bytes;
                return new ValueTask<BudgetLease>(new BudgetLease(bytes, Overdraft: false));
            }

            return Wait_NeedsLock(_newFrames, default, bytes, token);
        }
    }

    /// <summary>
    /// Takes more room for a frame that has outgrown what it took. One frame at a time may overdraw the budget: else several that
    /// have arrived in part could fill it, and each would wait for the others for ever.
    /// </summary>
    public ValueTask<BudgetLease> GrowAsync(BudgetLease lease, long bytes, CancellationToken token)
    {
        lock (_lock)
        {
            return _growing.Count == 0 && TryGrow_NeedsLock(lease, bytes, out var grown)
                ? new ValueTask<BudgetLease>(grown)
                : Wait_NeedsLock(_growing, lease, bytes, token);
        }
    }

    public void Release(BudgetLease lease)
    {
        lock (_lock)
        {
            _used -= lease.Bytes;
            _overdrawn &= !lease.Overdraft;
            Invariant.Check(_used >= 0);
            Grant_NeedsLock();
        }
    }

    private bool Fits(long bytes) => _used == 0 || _used + bytes <= capacity;

    private bool TryGrow_NeedsLock(BudgetLease lease, long bytes, out BudgetLease grown)
    {
        var fits = _used + bytes <= capacity;
        grown = new BudgetLease(lease.Bytes + bytes, lease.Overdraft || !fits);
        if (!fits && _overdrawn && !lease.Overdraft)
        {
            return false;
        }

        _overdrawn |= !fits;
        _used += bytes;
        return true;
    }

    private static ValueTask<BudgetLease> Wait_NeedsLock(Queue<Waiter> queue, BudgetLease held, long bytes, CancellationToken token)
    {
        var waiter = new Waiter(held, bytes);
        queue.Enqueue(waiter);
        if (token.CanBeCanceled)
        {
            // A waiter that was cancelled stays in the queue, completed, until its turn: it is passed over then.
            waiter.Cancellation = token.UnsafeRegister(static (state, token) => ((Waiter)state!).Granted.TrySetCanceled(token), waiter);
        }

        return new ValueTask<BudgetLease>(waiter.Granted.Task);
    }

    private void Grant_NeedsLock()
    {
        while (_growing.TryPeek(out var waiter) && (waiter.Granted.Task.IsCompleted || Grow_NeedsLock(waiter)))
        {
            _growing.Dequeue();
        }

        while (_growing.Count == 0 && _newFrames.TryPeek(out var waiter))
        {
            if (!waiter.Granted.Task.IsCompleted)
            {
                if (!Fits(waiter.Bytes))
                {
                    return;
                }

                if (waiter.Granted.TrySetResult(new BudgetLease(waiter.Bytes, Overdraft: false)))
                {
                    _used += waiter.Bytes;
                }
            }

            waiter.Cancellation.Unregister();
            _newFrames.Dequeue();
        }
    }

    private bool Grow_NeedsLock(Waiter waiter)
    {
        var (used, overdrawn) = (_used, _overdrawn);
        if (!TryGrow_NeedsLock(waiter.Held, waiter.Bytes, out var grown))
        {
            return false;
        }

        if (!waiter.Granted.TrySetResult(grown))
        {
            (_used, _overdrawn) = (used, overdrawn);
        }

        waiter.Cancellation.Unregister();
        return true;
    }

    private sealed class Waiter(BudgetLease held, long bytes)
    {
        public BudgetLease Held => held;

        public long Bytes => bytes;

        public TaskCompletionSource<BudgetLease> Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationTokenRegistration Cancellation { get; set; }
    }
}
