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
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Location, LogPlace Place), Task<ReadOnlyMemory<byte>?>> _reads = [];
    private readonly Queue<((string Location, LogPlace Place) Key, long Bytes)> _kept = new();
    private long _keptBytes;
    private bool _isOver;

    /// <summary>The records of a stream in an object, from an offset on, in order.</summary>
    /// <returns>Null if the object is gone, or is not what it was said to be.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="token"/> was cancelled: as long as the store does not answer, this goes on.</exception>
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
            _reads.Clear();
            _kept.Clear();
            Account_NeedsLock(-_keptBytes);
        }
    }

    private Task<ReadOnlyMemory<byte>?> Find((string Location, LogPlace Place) key)
    {
        TaskCompletionSource<ReadOnlyMemory<byte>?> read;
        lock (_lock)
        {
            if (_reads.TryGetValue(key, out var known))
            {
                return known;
            }

            read = new TaskCompletionSource<ReadOnlyMemory<byte>?>(TaskCreationOptions.RunContinuationsAsynchronously);
            _reads.Add(key, read.Task);
        }

        _ = runtime.Spawn("wal-object-read", stopping => ReadAsync(key, read, stopping));
        return read.Task;
    }

    private async Task ReadAsync((string Location, LogPlace Place) key, TaskCompletionSource<ReadOnlyMemory<byte>?> read, CancellationToken stopping)
    {
        ReadOnlyMemory<byte>? payload = null;
        try
        {
            payload = await new ObjectLog(runtime, storage, key.Location, ObjectWalProvider.LogOptions).FindEntryAsync(key.Place, stopping);
        }
        catch (ObjectLogException)
        {
            // Whoever wanted it asks its owner.
        }
        finally
        {
            Keep(key, payload?.Length ?? 0);
            read.SetResult(payload);
        }
    }

    private void Keep((string Location, LogPlace Place) key, long bytes)
    {
        lock (_lock)
        {
            if (_isOver)
            {
                return;
            }

            _kept.Enqueue((key, bytes));
            Account_NeedsLock(bytes);
            while (_keptBytes > limit && _kept.TryDequeue(out var oldest))
            {
                _reads.Remove(oldest.Key);
                Account_NeedsLock(-oldest.Bytes);
            }
        }
    }

    private void Account_NeedsLock(long bytes)
    {
        _keptBytes += bytes;
        buffers.Account(bytes);
    }
}
