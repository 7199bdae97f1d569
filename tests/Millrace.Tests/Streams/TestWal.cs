using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Tests.Streams;

/// <summary>
/// A WAL in memory whose durability a test controls, and which can be fenced and read back as a taker would.
/// </summary>
internal sealed class TestWal(NodeId node, NodeEpoch epoch, WalKind kind = WalKind.Memory) : IWriteAheadLog
{
    private readonly Lock _lock = new();
    private readonly List<(long Position, StreamRecord Record, TaskCompletionSource Durable)> _log = [];
    private readonly TaskCompletionSource<StreamException> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _next = 100;
    private int _durable;
    private bool _held;

    public WalDescriptor Descriptor { get; } = new(Guid.NewGuid(), kind, "test", node, epoch);

    public long TrimmedTo { get; private set; }

    public double Fullness { get; set; }

    /// <summary>What is not durable waits for no trimming.</summary>
    public bool HasPlace { get; set; } = true;

    /// <summary>Called when it is to be trimmed, before anything is; may wait.</summary>
    public Func<CancellationToken, Task> BeforeTrim { get; set; } = _ => Task.CompletedTask;

    public int MaxRecordBytes { get; init; } = 64 << 20;

    public Task<StreamException> Lost => _lost.Task;

    /// <summary>Records that are in the log and not trimmed.</summary>
    public IReadOnlyList<StreamRecord> Records
    {
        get
        {
            lock (_lock)
            {
                return [.. _log.Where(entry => entry.Position >= TrimmedTo).Select(entry => entry.Record)];
            }
        }
    }

    /// <summary>While held, nothing becomes durable.</summary>
    public void Hold()
    {
        lock (_lock)
        {
            _held = true;
        }
    }

    public void Release()
    {
        lock (_lock)
        {
            _held = false;
        }

        Flush(int.MaxValue);
    }

    /// <summary>Makes the next so many records durable.</summary>
    public void Flush(int count)
    {
        List<TaskCompletionSource> done = [];
        lock (_lock)
        {
            for (; count > 0 && _durable < _log.Count; count--)
            {
                done.Add(_log[_durable++].Durable);
            }
        }

        done.ForEach(durable => durable.SetResult());
    }

    /// <summary>From now on nothing is acknowledged; what was not durable fails.</summary>
    public void Fail(StreamError error)
    {
        var reason = new StreamException(error, "The test failed the WAL");
        List<TaskCompletionSource> failed;
        lock (_lock)
        {
            failed = [.. _log.Skip(_durable).Select(entry => entry.Durable)];
            _durable = _log.Count;
        }

        _lost.TrySetResult(reason);
        failed.ForEach(durable => durable.SetException(reason));
    }

    public ValueTask AppendAsync(in StreamRecord record, out long position)
    {
        TaskCompletionSource durable;
        lock (_lock)
        {
            if (_lost.Task.IsCompleted)
            {
                throw _lost.Task.Result;
            }

            position = _next;
            _next += 10;
            durable = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _log.Add((position, record with { Payload = record.Payload.ToArray() }, durable));
            if (_held)
            {
                return new(durable.Task);
            }

            _durable = _log.Count;
        }

        durable.SetResult();
        return new(durable.Task);
    }

    public bool HasPlaceFor(long position) => HasPlace;

    public async ValueTask TrimAsync(long position, CancellationToken token)
    {
        await BeforeTrim(token);
        lock (_lock)
        {
            TrimmedTo = Math.Max(TrimmedTo, position);
        }
    }

    public ValueTask RetireAsync(CancellationToken token) => default;

    public ValueTask DisposeAsync() => default;

    /// <summary>Fences the writer and hands out what it left.</summary>
    public ISealedWal TakeOver()
    {
        Fail(StreamError.Fenced);
        return new Recovery(this);
    }

    private sealed class Recovery(TestWal wal) : ISealedWal
    {
        public WalDescriptor Descriptor => wal.Descriptor;

        public async IAsyncEnumerable<StreamRecord> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
        {
            foreach (var record in wal.Records)
            {
                token.ThrowIfCancellationRequested();
                await Task.Yield();
                var payload = record.Payload.ToArray();
                yield return record with { Payload = payload };
                // Valid until the next step, and not a moment longer.
                payload.AsSpan().Fill(0xEE);
            }
        }

        public ValueTask CompleteAsync(CancellationToken token) => wal.TrimAsync(long.MaxValue, token);

        public ValueTask DisposeAsync() => default;
    }
}
