using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Streams.Wal.Object;

/// <summary>
/// A WAL in the object store: an object log with one term, that of this incarnation. Any node can seal it and read it, and
/// from then on this writer can acknowledge nothing.
/// </summary>
/// <remarks>
/// Appends gather while objects are under way, as long as <see cref="ObjectWalPace"/> says. A store that does not answer makes appends wait; they go on when
/// it does. Threading: as <see cref="IWriteAheadLog"/>.
/// </remarks>
internal sealed class ObjectWal : IWriteAheadLog
{
    private const double MostFullness = 0.99;

    private readonly NodeRuntime _runtime;
    private readonly BufferPool _pool;
    private readonly ObjectLog _log;
    private readonly ObjectLogOwner _owner;
    private readonly ObjectWalOptions _options;
    private readonly WalAppendQueue _queue = new(0);
    private readonly AsyncGate _trimming = new(1);
    private readonly TaskCompletionSource<StreamException> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _writing;
    private readonly Lock _lock = new();
    private readonly KeptObjects _kept = new();
    private readonly ObjectWalPace _pace;
    private bool _disposed;

    internal ObjectWal(NodeRuntime runtime, BufferPool pool, ObjectLog log, WalDescriptor descriptor, ObjectWalOptions options)
    {
        _runtime = runtime;
        _pool = pool;
        _log = log;
        _options = options;
        _pace = new ObjectWalPace(runtime.Time, options);
        Descriptor = descriptor;
        _owner = log.BeginTerm(descriptor.Id);
        _writing = runtime.Spawn("wal-writer", _ => WriteAsync());
    }

    public WalDescriptor Descriptor { get; }

    public int MaxRecordBytes => ObjectWalFormat.MaxRecordBytes;

    /// <summary>The bucket has room: what counts is how many objects a recovery would have to read. Appends never wait, and it is never full.</summary>
    public double Fullness => Math.Min(MostFullness, _kept.Count / (2.0 * _options.UploadObjects));

    public Task<StreamException> Lost => _lost.Task;

    public TimeSpan Stalled => _pace.Stalled;

    /// <summary>Bytes that one object takes at most at the moment.</summary>
    internal int BatchBytes => _pace.BatchBytes;

    public ValueTask AppendAsync(in StreamRecord record, out long position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Payload.Length, MaxRecordBytes);
        return _queue.Append(record, out position);
    }

    /// <summary>The bucket has room.</summary>
    public bool HasPlaceFor(long position) => true;

    public (LogPlace Place, long EndPosition)? FindObject(long position) => _kept.Find(position);

    public async ValueTask TrimAsync(long position, CancellationToken token)
    {
        await _trimming.EnterAsync(token);
        try
        {
            if (_kept.FindBoundary(position) is { } boundary)
            {
                await _log.TrimAsync(boundary, LogStart.Beginning(Descriptor.Id) with { Next = boundary }, token);
                _kept.Forget(boundary);
            }
        }
        finally
        {
            _trimming.Exit();
        }
    }

    public async ValueTask RetireAsync(CancellationToken token)
    {
        await DisposeAsync();
        await new ObjectWalTakeover(_log, Descriptor).RetireAsync(token);
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        _queue.End(new StreamException(StreamError.Closed, $"The WAL {Descriptor.Location} is closed"));
        await _owner.DisposeAsync();
        await _writing;
    }

    // It ends with the queue and not with the node's Stopping: appends that a stopping node still makes must settle.
    private async Task WriteAsync()
    {
        var previous = Task.CompletedTask;
        try
        {
            while (true)
            {
                await _queue.WaitAsync();
                await _owner.WaitForRoomAsync(CancellationToken.None);
                await GatherAsync();
                if (!_queue.Take(BatchBytes, out var appends))
                {
                    break;
                }

                if (appends.Count > 0)
                {
                    previous = WriteBatchAsync(new ObjectWalBatch(appends), previous);
                }
            }
        }
        catch (ObjectLogException refusal)
        {
            Lose(refusal);
        }

        await previous;
    }

    private async Task GatherAsync()
    {
        var pause = _pace.Gathering;
        var enough = _queue.WaitAsync(BatchBytes);
        if (enough.IsCompleted || pause <= TimeSpan.Zero)
        {
            return;
        }

        using var settled = new CancellationTokenSource();
        await Waiting.Either(enough, Task.Delay(pause, _runtime.Time, settled.Token));
        settled.Cancel();
    }

    private async Task WriteBatchAsync(ObjectWalBatch batch, Task previous)
    {
        var begun = _pace.Begin();
        LogPlace? place = null;
        StreamException? reason = null;
        try
        {
            place = await _owner.AppendAsync(batch.Build(_pool));
        }
        catch (Exception failure)
        {
            // Whatever it is: a batch that ended here without a word would keep every later one waiting.
            reason = Lose(failure);
        }

        batch.Release();

        // The log's tasks end in order; what runs after them here might not.
        await previous;
        _pace.End(begun);
        Settle(batch, place, reason);
    }

    private void Settle(ObjectWalBatch batch, LogPlace? place, StreamException? reason)
    {
        // Before they are settled, and used again.
        var (first, end) = (batch.Appends.First!.Position, batch.Appends.Last!.Position + 1);
        try
        {
            if (place is { } acknowledged)
            {
                _kept.Add(acknowledged, first, end);
            }
        }
        catch (Exception failure)
        {
            // No room to remember it: nothing could ever be trimmed behind it.
            reason ??= Lose(failure);
        }

        if (batch.Appends.Settle(reason) is { } trouble)
        {
            Lose(trouble);
        }
    }

    private StreamException Lose(Exception failure)
    {
        var reason = (failure as ObjectLogException)?.Error switch
        {
            ObjectLogError.Fenced => new StreamException(StreamError.Fenced, $"The WAL {Descriptor.Location} was taken over: {failure.Message}", failure),
            ObjectLogError.Closed => new StreamException(StreamError.Closed, $"The WAL {Descriptor.Location} is closed", failure),
            _ => new StreamException(StreamError.WalFailed, $"The WAL {Descriptor.Location} failed: {failure.Message}", failure),
        };
        _queue.End(reason);
        lock (_lock)
        {
            if (!_disposed)
            {
                _lost.TrySetResult(reason);
            }
        }

        return reason;
    }
}
