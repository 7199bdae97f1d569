namespace Millrace.Streams.Cache;

/// <summary>
/// The memory of the log cache and of uploads: what they hold, plus what admitted appends may come to hold. Whoever asks for room waits in
/// line, first come first served, while there is none. A reserve beyond the limit has a line of its own, which goes first.
/// </summary>
/// <remarks>
/// Records are accounted at the capacity of the buffers they keep alive and at what they cost beside (see <see cref="RecordCost"/>); a
/// permit is its taker's estimate. An append may
/// therefore take more than its permit said: the excess is bounded by the frames the network layer admits, and the next ones
/// wait for it. Threading: any thread; the callback is called without the lock.
/// </remarks>
/// <param name="limit">Bytes.</param>
/// <param name="reserve">So many bytes more are for those who ask for room of the reserve.</param>
/// <param name="onPressure">Called when somebody has to wait: uploaded records may go, and an upload should begin.</param>
internal sealed class MemoryBudget(long limit, long reserve, Action onPressure)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiters = new();
    private readonly LinkedList<Waiter> _reserveWaiters = new();
    private long _held;
    private long _reserved;
    private StreamException? _closed;

    /// <summary>Bytes that cached records, appends under way and uploads keep alive.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>How many wait for room.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiters.Count + _reserveWaiters.Count;
            }
        }
    }

    /// <summary>Bytes by which those who wait exceed what is free.</summary>
    public long Shortage
    {
        get
        {
            lock (_lock)
            {
                return (_reserveWaiters.First ?? _waiters.First)?.Value is { } first ? Math.Max(0, _held + _reserved + first.Bytes - first.Bound) : 0;
            }
        }
    }

    public ValueTask<AppendPermit> AdmitAsync(long bytes, CancellationToken token) => AdmitAsync(bytes, limit, _waiters, token);

    /// <summary>As <see cref="AdmitAsync(long, CancellationToken)"/>, with the reserve besides, and before all who wait there.</summary>
    public ValueTask<AppendPermit> AdmitFromReserveAsync(long bytes, CancellationToken token) => AdmitAsync(bytes, limit + reserve, _reserveWaiters, token);

    /// <summary>Takes a permit out of its holder's hands: the room stays reserved until <see cref="Settle"/>.</summary>
    /// <exception cref="InvalidOperationException">It was used, or given back, before.</exception>
    public static long Take(AppendPermit permit) => ((BudgetPermit)permit).Take();

    /// <summary>Turns taken room into memory really held.</summary>
    public void Settle(long bytes, long held)
    {
        lock (_lock)
        {
            _reserved -= bytes;
            _held += held;
            if (held < bytes)
            {
                Grant_NeedsLock();
            }
        }
    }

    /// <summary>Memory that nobody was admitted for, and that is needed to let other memory go: an upload's.</summary>
    public void Hold(long held)
    {
        lock (_lock)
        {
            _held += held;
        }
    }

    /// <summary>Records, or an upload, have let memory go.</summary>
    public void Release(long held)
    {
        lock (_lock)
        {
            _held -= held;
            Grant_NeedsLock();
        }
    }

    /// <summary>Nothing can be appended any more: everybody who waits, or comes, fails.</summary>
    public void Close(StreamException reason)
    {
        lock (_lock)
        {
            _closed ??= reason;
            foreach (var waiter in _reserveWaiters.Concat(_waiters))
            {
                waiter.Admitted.TrySetException(reason);
            }

            _reserveWaiters.Clear();
            _waiters.Clear();
        }
    }

    internal void GiveBack(long bytes)
    {
        lock (_lock)
        {
            _reserved -= bytes;
            Grant_NeedsLock();
        }
    }

    private ValueTask<AppendPermit> AdmitAsync(long bytes, long bound, LinkedList<Waiter> line, CancellationToken token)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        // Larger than everything: it may pass when it is alone.
        bytes = Math.Min(bytes, limit);
        Waiter waiter;
        lock (_lock)
        {
            if (_closed is { } closed)
            {
                return ValueTask.FromException<AppendPermit>(closed);
            }

            if (_reserveWaiters.Count == 0 && line.Count == 0 && Fits_NeedsLock(bytes, bound))
            {
                var permit = new BudgetPermit(this, bytes);
                _reserved += bytes;
                return new(permit);
            }

            token.ThrowIfCancellationRequested();
            waiter = new Waiter(bytes, bound, new BudgetPermit(this, bytes));
            waiter.Place = line.AddLast(waiter);
        }

        onPressure();
        return WaitAsync(waiter, token);
    }

    private async ValueTask<AppendPermit> WaitAsync(Waiter waiter, CancellationToken token)
    {
        using var cancellation = token.UnsafeRegister(
            static (state, cancelled) =>
            {
                var (budget, waiter) = ((MemoryBudget, Waiter))state!;
                budget.Withdraw(waiter, cancelled);
            },
            (this, waiter));
        return await waiter.Admitted.Task;
    }

    private void Withdraw(Waiter waiter, CancellationToken token)
    {
        lock (_lock)
        {
            if (waiter.Place?.List is not { } line)
            {
                return;
            }

            line.Remove(waiter.Place);
            waiter.Admitted.TrySetCanceled(token);
            // A smaller one behind it may fit now.
            Grant_NeedsLock();
        }
    }

    private void Grant_NeedsLock()
    {
        while ((_reserveWaiters.First ?? _waiters.First) is { } first && Fits_NeedsLock(first.Value.Bytes, first.Value.Bound))
        {
            first.List!.Remove(first);
            _reserved += first.Value.Bytes;
            first.Value.Admitted.TrySetResult(first.Value.Permit);
        }
    }

    private bool Fits_NeedsLock(long bytes, long bound) => _held + _reserved + bytes <= bound || _held + _reserved == 0;

    private sealed class Waiter(long bytes, long bound, BudgetPermit permit)
    {
        public long Bytes => bytes;

        /// <summary>Made beforehand: whoever lets memory go, and so admits it, needs none for that.</summary>
        public BudgetPermit Permit => permit;

        /// <summary>What may be held in all when it is admitted.</summary>
        public long Bound => bound;

        public LinkedListNode<Waiter>? Place { get; set; }

        public TaskCompletionSource<AppendPermit> Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class BudgetPermit(MemoryBudget budget, long bytes) : AppendPermit
    {
        private int _gone;

        /// <summary>What it was for; the budget still counts it as reserved.</summary>
        public long Take() => Interlocked.Exchange(ref _gone, 1) == 0
            ? bytes
            : throw new InvalidOperationException("An append permit serves one append");

        public override void Dispose()
        {
            if (Interlocked.Exchange(ref _gone, 1) == 0)
            {
                budget.GiveBack(bytes);
            }
        }
    }
}
