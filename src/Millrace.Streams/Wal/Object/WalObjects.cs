using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal.Object;

/// <summary>
/// Single objects of WALs in the store, read while their owners write on: what was acknowledged in one is there and never changes, until it is trimmed. The
/// newest few are kept, since an object has records of many streams.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="runtime">The node's.</param>
/// <param name="storage">Where the WALs lie.</param>
/// <param name="buffers">Told of the memory.</param>
/// <param name="limit">Of what is kept, in bytes.</param>
internal sealed class WalObjects(NodeRuntime runtime, IObjectStorage storage, BufferPool buffers, long limit) : IDisposable
{
    // Each has a whole object in memory that is not among what is kept yet.
    private const int Together = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly AsyncGate _gate = new(Together);
    private readonly Dictionary<(string Location, LogPlace Place), LinkedListNode<WalObject>> _objects = [];

    // Those that were asked for first come first.
    private readonly LinkedList<WalObject> _order = new();
    private long _keptBytes;
    private bool _isOver;

    /// <summary>The records of a stream in an object, from an offset on, in order.</summary>
    /// <returns>Null if the object is gone, is not what it was said to be, or could not be read within a few seconds.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="token"/> was cancelled.</exception>
    public async ValueTask<IReadOnlyList<StreamRecord>?> ReadAsync(WalExtent extent, StreamId stream, long offset, CancellationToken token)
    {
        var key = (extent.Location, new LogPlace(extent.Term, extent.Index));
        if (await Find(key).OrCancelled(token) is not { } payload || ObjectWalFormat.TryReadCount(payload.Span) is not { } count)
        {
            return null;
        }

        var body = payload[ObjectWalFormat.HeadSize..];
        var records = new List<StreamRecord>();
        for (var i = 0; i < count; i++)
        {
            if (!WalRecordFormat.TryRead(ref body, out var record))
            {
                return null;
            }

            if (record.Stream == stream && record.Epoch == extent.Epoch && record.EndOffset > offset && record.EndOffset <= extent.EndOffset)
            {
                records.Add(record);
            }
        }

        return records;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isOver = true;
            while (_order.First is { } oldest)
            {
                Forget_NeedsLock(oldest);
            }
        }
    }

    private Task<ReadOnlyMemory<byte>?> Find((string Location, LogPlace Place) key)
    {
        LinkedListNode<WalObject> wanted;
        lock (_lock)
        {
            if (_objects.TryGetValue(key, out var known))
            {
                return known.Value.Read;
            }

            wanted = new LinkedListNode<WalObject>(new WalObject(key.Location, key.Place));
            _objects.Add(key, wanted);
            _order.AddLast(wanted);
        }

        _ = runtime.Spawn("wal-object-read", stopping => ReadAsync(wanted, stopping));
        return wanted.Value.Read;
    }

    private async Task ReadAsync(LinkedListNode<WalObject> wanted, CancellationToken stopping)
    {
        ReadOnlyMemory<byte>? payload = null;
        try
        {
            payload = await GetAsync(wanted.Value, stopping);
        }
        finally
        {
            Keep(wanted, payload?.Length ?? 0);
            wanted.Value.Complete(payload);
        }
    }

    /// <returns>Null where it cannot be had: whoever wants it asks its owner.</returns>
    private async Task<ReadOnlyMemory<byte>?> GetAsync(WalObject wanted, CancellationToken stopping)
    {
        using var patience = new CancellationTokenSource(Patience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        try
        {
            await _gate.EnterAsync(either.Token);
            try
            {
                return await new ObjectLog(runtime, storage, wanted.Location, ObjectWalProvider.LogOptions).FindEntryAsync(wanted.Place, either.Token);
            }
            finally
            {
                _gate.Exit();
            }
        }
        catch (Exception failure) when (failure is ObjectLogException or ObjectStorageException or OutOfMemoryException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <param name="wanted">What was read.</param>
    /// <param name="bytes">None if it could not be had: whoever wants it again tries again.</param>
    private void Keep(LinkedListNode<WalObject> wanted, long bytes)
    {
        lock (_lock)
        {
            if (_isOver || wanted.List is null)
            {
                return;
            }

            if (bytes == 0)
            {
                Forget_NeedsLock(wanted);
                return;
            }

            wanted.Value.Bytes = bytes;
            Account_NeedsLock(bytes);
            for (var next = _order.First; _keptBytes > limit && next is { } oldest;)
            {
                next = oldest.Next;
                if (oldest.Value.Bytes > 0)
                {
                    Forget_NeedsLock(oldest);
                }
            }
        }
    }

    private void Forget_NeedsLock(LinkedListNode<WalObject> known)
    {
        _order.Remove(known);
        _objects.Remove((known.Value.Location, known.Value.Place));
        Account_NeedsLock(-known.Value.Bytes);
    }

    private void Account_NeedsLock(long bytes)
    {
        _keptBytes += bytes;
        buffers.Account(bytes);
    }
}
