using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
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
/// <param name="objects">Reads what is missing.</param>
/// <param name="buffers">Lends the memory.</param>
/// <param name="metrics">Counts hits and misses.</param>
/// <param name="limit">Bytes of memory.</param>
/// <param name="stopping">Ends reads under way: they serve several waiters and belong to none.</param>
internal sealed class BlockCache(DataObjectReader objects, BufferPool buffers, StreamsMetrics metrics, long limit, CancellationToken stopping) : IDisposable
{
    /// <summary>
    /// A reader for whom blocks were read ahead has left when this many times the cache's bytes were fetched since it last read. Should it
    /// come after all, little is lost: half of the cache is the most that can be read in vain in that time, an eighth of all.
    /// </summary>
    private const int PatienceInCaches = 4;

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

    /// <summary>How many bytes were fetched so far: the clock by which readers are seen to leave.</summary>
    public long FetchedBytes
    {
        get
        {
            lock (_lock)
            {
                return _fetchedBytes;
            }
        }
    }

    /// <summary>
    /// Takes room for reading ahead, until <see cref="ReturnAhead"/>. Blocks that nobody has asked for yet fill at most half of the cache:
    /// beyond that they would push each other out before their readers come, and be read twice.
    /// </summary>
    public bool TryReserveAhead(long bytes)
    {
        lock (_lock)
        {
            if (_aheadBytes + bytes > limit / 2)
            {
                return false;
            }

            _aheadBytes += bytes;
            return true;
        }
    }

    /// <summary>Gives room back: what was read ahead meanwhile takes room of its own.</summary>
    public void ReturnAhead(long bytes)
    {
        lock (_lock)
        {
            _aheadBytes -= bytes;
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
    /// <param name="lastAsked">The last block that the reader asks for.</param>
    /// <param name="lastAlong">The last block, of the same range, to read along if it and all between are missing too.</param>
    /// <param name="reader">For whom it is read, if that is known.</param>
    /// <param name="token">Ends the wait.</param>
    /// <returns>Null if there is no such object.</returns>
    /// <exception cref="StreamException">StorageUnavailable, Corrupt, Closed.</exception>
    public ValueTask<BlockHold?> GetAsync(
        DataObjectIndex index, DataRangeEntry range, int block, int lastAsked, int lastAlong, SequentialReader? reader, CancellationToken token) =>
        FindAsync(index, range, block, lastAsked, lastAlong, reader, token);

    /// <summary>As <see cref="GetAsync"/>, for a reader that has yet to ask for any of the blocks: they are only brought to memory.</summary>
    /// <returns>False if there is no such object.</returns>
    public async ValueTask<bool> FetchAheadAsync(
        DataObjectIndex index, DataRangeEntry range, int block, int last, SequentialReader reader, CancellationToken token)
    {
        if (await FindAsync(index, range, block, lastAsked: null, last, reader, token) is not { } hold)
        {
            return false;
        }

        hold.Buffer.Release();
        return true;
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

    // Of the blocks, none is asked for yet where there is no last one that is.
    private async ValueTask<BlockHold?> FindAsync(
        DataObjectIndex index, DataRangeEntry range, int block, int? lastAsked, int lastAlong, SequentialReader? reader, CancellationToken token)
    {
        var ahead = lastAsked is null;
        metrics.BlockReads.Add(1);
        while (true)
        {
            Task<bool>? reading;
            Run? run = null;
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

                if (reading is null)
                {
                    run = Begin_NeedsLock(index, block, lastAsked, lastAlong, reader);
                    reading = run.Read.Task;
                }
            }

            if (run is not null)
            {
                // Not awaited: whoever began it may stop waiting, and its outcome is what everybody waits for.
                _ = FetchAsync(index, range, run);
            }

            if (!await reading.OrCancelled(token))
            {
                return null;
            }
        }
    }

    private Run Begin_NeedsLock(DataObjectIndex index, int block, int? lastAsked, int lastAlong, SequentialReader? reader)
    {
        var run = new Run(reader);
        for (var next = block; next <= lastAlong && !_entries.ContainsKey((index.Object, next)); next++)
        {
            var entry = new Entry(index.Object, next, run) { Ahead = lastAsked is not { } asked || next > asked };
            _entries.Add((index.Object, next), entry);
            run.Entries.Add(entry);
            run.Bytes += index.Blocks[next].Size;
            run.Ahead += entry.Ahead ? 1 : 0;
        }

        _aheadBytes += run.Ahead > 0 ? run.Bytes : 0;
        return run;
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
            reading = entry.Run.Read.Task;
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
    private async Task FetchAsync(DataObjectIndex index, DataRangeEntry range, Run run)
    {
        PooledBuffer? buffer = null;
        try
        {
            var (first, last) = (index.Blocks[run.Entries[0].Index], index.Blocks[run.Entries[^1].Index]);
            buffer = buffers.Rent(checked((int)(last.Position + last.Size - first.Position)));
            metrics.BlockMisses.Add(run.Entries.Count);
            var found = await objects.ReadAsync(index.Object, first.Position, buffer.Memory, stopping);
            if (found)
            {
                foreach (var entry in run.Entries)
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
                run.Entries.ForEach(Remove_NeedsLock);
            }

            run.Read.SetException(failure is OperationCanceledException ? DataObjectReader.Stopped() : failure);
        }
        finally
        {
            buffer?.Release();
        }
    }

    private void Publish(DataObjectIndex index, Run run, PooledBuffer? buffer)
    {
        lock (_lock)
        {
            foreach (var entry in run.Entries)
            {
                if (buffer is null || _disposed)
                {
                    Remove_NeedsLock(entry);
                    continue;
                }

                entry.Buffer = buffer;
                _held += buffer.RetainAccounted();
                entry.Place = (entry.Ahead ? _ahead : _asked).AddLast(entry);
                entry.AwaitedSince = _fetchedBytes;
                _fetchedBytes += index.Blocks[entry.Index].Size;
            }

            // The blocks that somebody waits for stay, however small the cache.
            while (_held > limit && First_NeedsLock() is { } first && first.Value.Buffer != buffer)
            {
                Evict_NeedsLock(first);
            }
        }

        run.Read.SetResult(buffer is not null);
    }

    /// <summary>The first to leave.</summary>
    private LinkedListNode<Entry>? First_NeedsLock()
    {
        while (_ahead.First is { } ahead && _fetchedBytes - ahead.Value.AwaitedSince > PatienceInCaches * limit)
        {
            if (ahead.Value.Run.Reader is not { } reader || reader.CameAt <= ahead.Value.AwaitedSince)
            {
                return ahead;
            }

            // It is on its way.
            ahead.Value.AwaitedSince = reader.CameAt;
            _ahead.Remove(ahead);
            _ahead.AddLast(ahead);
        }

        return _asked.First ?? _ahead.First;
    }

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
        if (entry.Ahead)
        {
            entry.Ahead = false;
            _aheadBytes -= --entry.Run.Ahead == 0 ? entry.Run.Bytes : 0;
        }
    }

    private static DataBlock Check(DataObjectIndex index, in DataRangeEntry range, int block, ReadOnlyMemory<byte> bytes)
    {
        var data = new DataBlock(bytes);
        return data.FindFault(range.Stream, range.Epoch, index.Blocks[block]) is not { } fault
            ? data
            : throw DataObjectReader.Corrupt(index.Object, $"block at {index.Blocks[block].Position}: {fault}");
    }

    private sealed class Entry(ObjectId id, int index, Run run)
    {
        public ObjectId Object => id;

        public int Index => index;

        public Run Run => run;

        /// <summary>Nobody has asked for it yet.</summary>
        public bool Ahead { get; set; }

        /// <summary>How many bytes had been fetched when it came, or when its reader was last seen.</summary>
        public long AwaitedSince { get; set; }

        public LinkedListNode<Entry>? Place { get; set; }

        public DataBlock Block { get; set; }

        public PooledBuffer? Buffer { get; set; }
    }

    /// <summary>Blocks that come in one request, into one buffer.</summary>
    private sealed class Run(SequentialReader? reader)
    {
        public SequentialReader? Reader => reader;

        public List<Entry> Entries { get; } = [];

        public long Bytes { get; set; }

        /// <summary>How many of them nobody has asked for: all the others' memory stays with them.</summary>
        public int Ahead { get; set; }

        /// <summary>False if there is no such object.</summary>
        public TaskCompletionSource<bool> Read { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
