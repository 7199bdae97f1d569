using Millrace.Runtime;

namespace Millrace.Streams.Wal;

/// <summary>
/// Appends that wait for the WAL's writer, in the order they came, each with its position: its ordinal number. While the
/// writer is busy they gather, and the next group takes all of them.
/// </summary>
/// <remarks>
/// They are linked to one another: an append that has been accepted needs no more room, however many wait. Threading: appending by any
/// thread; taking by the one writer.
/// </remarks>
internal sealed class WalAppendQueue
{
    private readonly Lock _lock = new();
    private readonly IdleTasks<WalAppend> _idle;
    private Group _waiting;
    private TaskCompletionSource? _wake;
    private long _wakeAt;
    private long _waitingBytes;
    private long _appendedBytes;
    private StreamException? _ended;
    private long _nextPosition;

    public WalAppendQueue(long firstPosition)
    {
        _idle = new IdleTasks<WalAppend>(_lock);
        _nextPosition = firstPosition;
    }

    /// <summary>All that was ever appended: the position behind it, and its bytes as they are written, headers of records included.</summary>
    public (long End, long Bytes) Appended
    {
        get
        {
            lock (_lock)
            {
                return (_nextPosition, _appendedBytes);
            }
        }
    }

    /// <summary>
    /// Takes a place in the log. The task ends when the writer completes or fails the append. If this throws, nothing was appended.
    /// </summary>
    /// <exception cref="StreamException">The WAL has ended; nothing was appended.</exception>
    public ValueTask Append(in StreamRecord record, out long position)
    {
        ValueTask task;
        TaskCompletionSource? wake = null;
        lock (_lock)
        {
            if (_ended is not null)
            {
                throw new StreamException(_ended.Error, _ended.Message, _ended);
            }

            // All the room it needs; from here on nothing can fail.
            var append = _idle.TakeUnderGuard() ?? new WalAppend(_idle);
            position = _nextPosition++;
            append.Begin(record, position);
            task = append.Task;
            Add_NeedsLock(append);
            var size = WalRecordFormat.SizeOf(record);
            _waitingBytes += size;
            _appendedBytes += size;
            if (_waitingBytes >= _wakeAt)
            {
                (wake, _wake) = (_wake, null);
            }
        }

        Wake(wake);
        return task;
    }

    /// <summary>Completes when there is something to take, or nothing more will come.</summary>
    public Task WaitAsync() => WaitAsync(1);

    /// <summary>Completes when this many bytes of records wait, or nothing more will come. One waiter at a time; a later one replaces it.</summary>
    public Task WaitAsync(long bytes)
    {
        lock (_lock)
        {
            _wakeAt = bytes;
            return _waitingBytes >= bytes || _ended is not null
                ? Task.CompletedTask
                : (_wake ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Takes what waits as a group: at least one append if there is any, and no more than fit.</summary>
    /// <param name="maxBytes">Of records as they are written, headers included.</param>
    /// <param name="group">What was taken.</param>
    /// <returns>False when the queue has ended and is empty.</returns>
    public bool Take(long maxBytes, out Group group)
    {
        lock (_lock)
        {
            var (bytes, count) = (0L, 0);
            WalAppend? last = null;
            foreach (var append in _waiting)
            {
                var size = WalRecordFormat.SizeOf(append.Record);
                if (count > 0 && bytes + size > maxBytes)
                {
                    break;
                }

                bytes += size;
                count++;
                last = append;
            }

            group = new Group(count == 0 ? null : _waiting.First, last, count);
            _waiting = count == _waiting.Count ? default : new Group(last!.Next, _waiting.Last, _waiting.Count - count);
            _waitingBytes -= bytes;
            return count > 0 || _ended is null;
        }
    }

    /// <summary>Ends the queue: what waits fails, and what comes is refused. The first reason counts.</summary>
    /// <returns>False if it had ended before.</returns>
    public bool End(StreamException reason)
    {
        Group failed;
        TaskCompletionSource? wake;
        lock (_lock)
        {
            if (_ended is not null)
            {
                return false;
            }

            _ended = reason;
            (failed, _waiting) = (_waiting, default);
            _waitingBytes = 0;
            (wake, _wake) = (_wake, null);
        }

        failed.Settle(reason);
        wake?.SetResult();
        return true;
    }

    private void Add_NeedsLock(WalAppend append)
    {
        if (_waiting.Last is { } last)
        {
            last.Next = append;
        }

        _waiting = new Group(_waiting.First ?? append, append, _waiting.Count + 1);
    }

    // The append is accepted. Where its writer cannot be told, nobody will write it, and it fails like all others.
    private void Wake(TaskCompletionSource? wake)
    {
        try
        {
            wake?.SetResult();
        }
        catch (Exception failure)
        {
            End(new StreamException(StreamError.WalFailed, $"The WAL's writer cannot be woken: {failure.Message}", failure));
        }
    }

    /// <summary>Appends that follow each other, linked to one another: to take them from the queue takes no memory. Empty by default.</summary>
    internal readonly record struct Group(WalAppend? First, WalAppend? Last, int Count)
    {
        public Enumerator GetEnumerator() => new(this);

        /// <summary>Completes them all, or fails them for a reason; they are their takers' from then on, and may be used again at once.</summary>
        /// <returns>What went wrong with one of them, such as an allocation: nobody may ever hear of it, so the WAL must not go on. Null as a rule.</returns>
        public Exception? Settle(StreamException? reason)
        {
            Exception? trouble = null;
            foreach (var append in this)
            {
                try
                {
                    if (reason is null)
                    {
                        append.Complete();
                    }
                    else
                    {
                        append.Fail(reason);
                    }
                }
                catch (Exception failure)
                {
                    trouble = failure;
                }
            }

            return trouble;
        }

        /// <summary>Reads each link before it hands the append out, since whoever gets it may end it.</summary>
        internal struct Enumerator(Group group)
        {
            private WalAppend? _next = group.First;
            private int _left = group.Count;

            public WalAppend Current { get; private set; } = null!;

            public bool MoveNext()
            {
                if (_left == 0)
                {
                    return false;
                }

                _left--;
                Current = _next!;
                _next = Current.Next;
                return true;
            }
        }
    }
}
