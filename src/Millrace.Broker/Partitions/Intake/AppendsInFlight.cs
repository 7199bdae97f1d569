using Millrace.Broker.Purgatory;
using Millrace.Streams;

namespace Millrace.Broker.Partitions.Intake;

/// <summary>The appends of one partition that are not durable yet, and who waits for them without having made them.</summary>
/// <remarks>Threading: appends come in order under the partition's append lock, confirmations in order from the WAL's completion path.</remarks>
internal sealed class AppendsInFlight(PartitionProgress progress)
{
    private readonly Lock _lock = new();
    private readonly Queue<Append> _appends = new();
    private readonly List<Waiter> _waiters = [];
    private long _confirmed;
    private long _maxTimestamp = -1;
    private StreamError? _lost;

    /// <summary>The largest timestamp that was appended and confirmed since the partition was opened; -1 if none.</summary>
    public long MaxTimestamp
    {
        get
        {
            lock (_lock)
            {
                return _maxTimestamp;
            }
        }
    }

    /// <summary>Takes the room that <see cref="Add"/> needs, so that this fails, if anything does, before the append.</summary>
    public void Reserve()
    {
        lock (_lock)
        {
            _appends.EnsureCapacity(_appends.Count + 1);
        }
    }

    /// <summary>Takes in what was appended, in order. It may be confirmed already.</summary>
    public void Add(long endOffset, int bytes, long maxTimestamp)
    {
        lock (_lock)
        {
            if (endOffset > _confirmed)
            {
                _appends.Enqueue(new Append(endOffset, bytes, maxTimestamp));
                return;
            }

            _maxTimestamp = Math.Max(_maxTimestamp, maxTimestamp);
        }

        progress.Advance(bytes);
    }

    /// <summary>Completes when everything below an offset is durable; fails with a <see cref="StreamException"/> if that will never be known.</summary>
    public ValueTask WaitAsync(long endOffset)
    {
        lock (_lock)
        {
            if (endOffset <= _confirmed)
            {
                return ValueTask.CompletedTask;
            }

            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_lost is { } error)
            {
                done.SetException(Lost(error));
            }
            else
            {
                _waiters.Add(new Waiter(endOffset, done));
            }

            return new ValueTask(done.Task);
        }
    }

    public void OnConfirmed(long confirmOffset)
    {
        var bytes = 0L;
        lock (_lock)
        {
            _confirmed = Math.Max(_confirmed, confirmOffset);
            while (_appends.TryPeek(out var append) && append.EndOffset <= confirmOffset)
            {
                _appends.Dequeue();
                bytes += append.Bytes;
                _maxTimestamp = Math.Max(_maxTimestamp, append.MaxTimestamp);
            }

            for (var i = _waiters.Count - 1; i >= 0; i--)
            {
                if (_waiters[i].EndOffset <= confirmOffset)
                {
                    _waiters[i].Done.SetResult();
                    _waiters.RemoveAt(i);
                }
            }
        }

        if (bytes > 0)
        {
            progress.Advance(bytes);
        }
    }

    public void OnLost(StreamError error)
    {
        lock (_lock)
        {
            _lost = error;
            foreach (var waiter in _waiters)
            {
                waiter.Done.SetException(Lost(error));
            }

            _waiters.Clear();
        }
    }

    private static StreamException Lost(StreamError error) => new(error, "The stream was lost before the append was known to be durable.");

    private readonly record struct Append(long EndOffset, int Bytes, long MaxTimestamp);

    private readonly record struct Waiter(long EndOffset, TaskCompletionSource Done);
}
