using Millrace.Runtime;
using Millrace.Streams.Objects;

namespace Millrace.Streams.Cache;

/// <summary>
/// Data blocks read back from objects. Neighbouring blocks that are missing come in one request, and readers that miss the same
/// block wait for one request. First out is what was asked for, least recently used first: most readers go on and do not come back.
/// What was read ahead waits for its reader, unless that one seems to have left.
/// </summary>
/// <remarks>
/// Threading: any thread. Memory: blocks that came together share a buffer, which is accounted until the last of them leaves; readers hold
/// it for themselves, beyond the cache's account.
/// </remarks>
/// <param name="reader">Reads what is missing.</param>
/// <param name="buffers">Lends the memory.</param>
/// <param name="metrics">Counts hits and misses.</param>
/// <param name="limit">Bytes of memory.</param>
/// <param name="stopping">Ends reads under way: they serve several waiters and belong to none.</param>
internal sealed class BlockCache(DataObjectReader reader, BufferPool buffers, StreamsMetrics metrics, long limit, CancellationToken stopping) : IDisposable
{
    /// <summary>A reader for whom blocks were read ahead has left when this many times the cache's bytes were fetched and it has not come.</summary>
    private const int PatienceInCaches = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<(ObjectId Object, int Block), Entry> _entries = [];
    private readonly LinkedList<Entry> _asked = new();
    private readonly LinkedList<Entry> _ahead = new();
    private long _held;
    private long _aheadBytes;
    private long _fetchedBytes;
    private bool _disposed;

    /// <summary>Memory that the cache keeps alive.</summary>
    public long Held
    {
        get
        {
            lock (_lock)
            {
                return _held;
            }
        }
    }

    /// <summary>
    /// Takes room for reading ahead. Blocks that nobody has asked for yet fill at most half of the cache: beyond that they would push
    /// each other out before their readers come, and be read twice.
    /// </summary>
    public bool HasRoomAhead(long bytes)
    {
        lock (_lock)
        {
            return _aheadBytes + bytes <= limit / 2;
        }
    }

    /// <summary>A block if it is in memory already; else null, and nothing is read.</summary>
    public BlockHold? TryGet(ObjectId id, int block)
    {
        lock (_lock)
        {
            return TryGet_NeedsLock(id, block, ahead: false, out _);
        }
    }

    /// <summary>A block, read if need be together with those that follow it.</summary>
    /// <param name="index">The object's index.</param>
    /// <param name="range">The range the blocks belong to.</param>
    /// <param name="block">The block wanted, by its place in the index.</param>
    /// <param name="lastAlong">The last block, of the same range, to read along if it and all between are missing too.</param>
    /// <param name="ahead">Nobody has asked for it yet.</param>
    /// <param name="token">Ends the wait.</param>
    /// <returns>Null if there is no such object.</returns>
    /// <exception cref="StreamException">StorageUnavailable, Corrupt, Closed.</exception>
    public async ValueTask<BlockHold?> GetAsync(
        DataObjectIndex index, DataRangeEntry range, int block, int lastAlong, bool ahead, CancellationToken token)
    {
        metrics.BlockReads.Add(1);
        while (true)
        {
            Task<bool>? reading;
            var run = new List<Entry>();
            lock (_lock)
            {
                if (_disposed)
                {
                    throw DataObjectReader.Stopped();
                }

                if (TryGet_NeedsLock(index.Object, block, ahead, out reading) is { } hold)
                {
                    return hold;
                }

                for (var next = block; reading is null && next <= lastAlong && !_entries.ContainsKey((index.Object, next)); next++)
                {
                    var entry = new Entry(index.Object, next) { Ahead = ahead ? index.Blocks[next].Size : 0 };
                    _aheadBytes += entry.Ahead;
                    _entries.Add((index.Object, next), entry);
                    run.Add(entry);
                }

                if (run.Count > 0)
                {
                    var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                    run.ForEach(entry => entry.Reading = done);
                    reading = done.Task;
                }
            }

            if (run.Count > 0)
            {
                // Not awaited: whoever began it may stop waiting, and its outcome is what everybody waits for.
                _ = FetchAsync(index, range, run);
            }

            if (!await reading!.OrCancelled(token))
            {
                return null;
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            while (First_NeedsLock() is { } first)
            {
                Evict_NeedsLock(first);
            }
        }
    }

    private BlockHold? TryGet_NeedsLock(ObjectId id, int block, bool ahead, out Task<bool>? reading)
    {
        reading = null;
        if (!_entries.TryGetValue((id, block), out var entry))
        {
            return null;
        }

        if (!ahead)
        {
            Asked_NeedsLock(entry);
        }

        if (entry.Place is null)
        {
            reading = entry.Reading!.Task;
            return null;
        }

        if (!ahead)
        {
            entry.Place.List!.Remove(entry.Place);
            _asked.AddLast(entry.Place);
        }

        return new BlockHold(entry.Block, entry.Buffer!.Retain());
    }

    // Never fails: the failure goes to those who wait for the blocks.
    private async Task FetchAsync(DataObjectIndex index, DataRangeEntry range, List<Entry> run)
    {
        PooledBuffer? buffer = null;
        try
        {
            var (first, last) = (index.Blocks[run[0].Index], index.Blocks[run[^1].Index]);
            buffer = buffers.Rent(checked((int)(last.Position + last.Size - first.Position)));
            metrics.BlockMisses.Add(run.Count);
            var found = await reader.ReadAsync(index.Object, first.Position, buffer.Memory, stopping);
            if (found)
            {
                foreach (var entry in run)
                {
                    entry.Block = Check(index, range, entry.Index, buffer.Memory.Slice(
                        (int)(index.Blocks[entry.Index].Position - first.Position), index.Blocks[entry.Index].Size));
                }
            }

            Publish(index, run, found ? buffer : null);
        }
        catch (Exception failure)
        {
            lock (_lock)
            {
                run.ForEach(Remove_NeedsLock);
            }

            run[0].Reading!.SetException(failure is OperationCanceledException ? DataObjectReader.Stopped() : failure);
        }
        finally
        {
            buffer?.Release();
        }
    }

    private void Publish(DataObjectIndex index, List<Entry> run, PooledBuffer? buffer)
    {
        lock (_lock)
        {
            foreach (var entry in run)
            {
                if (buffer is null || _disposed)
                {
                    Remove_NeedsLock(entry);
                    continue;
                }

                entry.Buffer = buffer;
                _held += buffer.RetainAccounted();
                entry.Place = (entry.Ahead > 0 ? _ahead : _asked).AddLast(entry);
                entry.FetchedAt = _fetchedBytes;
                _fetchedBytes += index.Blocks[entry.Index].Size;
            }

            // The blocks that somebody waits for stay, however small the cache.
            while (_held > limit && First_NeedsLock() is { } first && first.Value.Buffer != buffer)
            {
                Evict_NeedsLock(first);
            }
        }

        run[0].Reading!.SetResult(buffer is not null);
    }

    /// <summary>The first to leave.</summary>
    private LinkedListNode<Entry>? First_NeedsLock() =>
        _ahead.First is { } ahead && (_asked.First is null || _fetchedBytes - ahead.Value.FetchedAt > PatienceInCaches * limit)
            ? ahead
            : _asked.First;

    private void Evict_NeedsLock(LinkedListNode<Entry> place)
    {
        place.List!.Remove(place);
        Remove_NeedsLock(place.Value);
        _held -= place.Value.Buffer!.ReleaseAccounted();
    }

    private void Remove_NeedsLock(Entry entry)
    {
        Asked_NeedsLock(entry);
        _entries.Remove((entry.Object, entry.Index));
    }

    private void Asked_NeedsLock(Entry entry)
    {
        _aheadBytes -= entry.Ahead;
        entry.Ahead = 0;
    }

    private static DataBlock Check(DataObjectIndex index, in DataRangeEntry range, int block, ReadOnlyMemory<byte> bytes)
    {
        var data = new DataBlock(bytes);
        return data.FindFault(range.Stream, range.Epoch, index.Blocks[block]) is not { } fault
            ? data
            : throw DataObjectReader.Corrupt(index.Object, $"block at {index.Blocks[block].Position}: {fault}");
    }

    private sealed class Entry(ObjectId id, int index)
    {
        public ObjectId Object => id;

        public int Index => index;

        /// <summary>Its size, while it was only read ahead; 0 once somebody has asked for it.</summary>
        public int Ahead { get; set; }

        /// <summary>How many bytes had been fetched before it.</summary>
        public long FetchedAt { get; set; }

        public TaskCompletionSource<bool>? Reading { get; set; }

        public LinkedListNode<Entry>? Place { get; set; }

        public DataBlock Block { get; set; }

        public PooledBuffer? Buffer { get; set; }
    }
}
