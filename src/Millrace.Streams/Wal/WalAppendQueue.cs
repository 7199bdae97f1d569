namespace Millrace.Streams.Wal;

/// <summary>
/// Appends that wait for the WAL's writer, in the order they came, each with its position: its ordinal number. While the
/// writer is busy they gather, and the next group takes all of them.
/// </summary>
/// <remarks>Threading: appending by any thread; taking by the one writer.</remarks>
internal sealed class WalAppendQueue(long firstPosition)
{
    private const int IdleAppends = 4096;
    private readonly Lock _lock = new();
    private readonly Queue<WalAppend> _waiting = new();
    private readonly Stack<WalAppend> _idle = new();
    private TaskCompletionSource? _wake;
    private long _wakeAt;
    private long _waitingBytes;
    private StreamException? _ended;
    private long _nextPosition = firstPosition;

    /// <summary>Takes a place in the log. The task ends when the writer completes or fails the append.</summary>
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

            if (!_idle.TryPop(out var append))
            {
                append = new WalAppend(this);
            }

            position = _nextPosition++;
            task = append.Begin(record, position);
            _waiting.Enqueue(append);
            _waitingBytes += WalRecordFormat.SizeOf(record);
            if (_waitingBytes >= _wakeAt)
            {
                (wake, _wake) = (_wake, null);
            }
        }

        wake?.SetResult();
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

    /// <summary>Moves what waits into a group: at least one append if there is any, and no more than fit.</summary>
    /// <param name="group">Receives them.</param>
    /// <param name="maxBytes">Of records as they are written, headers included.</param>
    /// <returns>False when the queue has ended and is empty.</returns>
    public bool Take(List<WalAppend> group, long maxBytes)
    {
        lock (_lock)
        {
            var bytes = 0L;
            while (_waiting.TryPeek(out var next))
            {
                bytes += WalRecordFormat.SizeOf(next.Record);
                if (group.Count > 0 && bytes > maxBytes)
                {
                    break;
                }

                group.Add(_waiting.Dequeue());
            }

            foreach (var append in group)
            {
                _waitingBytes -= WalRecordFormat.SizeOf(append.Record);
            }

            return group.Count > 0 || _ended is null;
        }
    }

    /// <summary>Ends the queue: what waits fails, and what comes is refused. The first reason counts.</summary>
    /// <returns>False if it had ended before.</returns>
    public bool End(StreamException reason)
    {
        WalAppend[] failed;
        TaskCompletionSource? wake;
        lock (_lock)
        {
            if (_ended is not null)
            {
                return false;
            }

            _ended = reason;
            failed = [.. _waiting];
            _waiting.Clear();
            _waitingBytes = 0;
            (wake, _wake) = (_wake, null);
        }

        foreach (var append in failed)
        {
            append.Fail(reason);
        }

        wake?.SetResult();
        return true;
    }

    internal void Recycle(WalAppend append)
    {
        lock (_lock)
        {
            if (_idle.Count < IdleAppends)
            {
                _idle.Push(append);
            }
        }
    }
}
