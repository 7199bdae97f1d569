using System.Buffers;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;

namespace Millrace.Streams.Cache;

/// <summary>
/// Data blocks read back from objects, or just written to them. Neighbouring blocks that are missing come in one request, and readers that miss
/// the same block wait for one request. First out is what was asked for, least recently used first: most readers go on and do not come back.
/// What was read ahead waits for its reader, unless that one seems to have left; so does what was written, for the first reader.
/// </summary>
/// <remarks>
/// Threading: any thread. Memory: blocks that came together share a buffer, which is accounted until the last of them leaves; readers hold
/// it for themselves, beyond the cache's account.
/// </remarks>
/// <param name="objects">Reads what is missing.</param>
/// <param name="buffers">Lends the memory.</param>
/// <param name="limit">Bytes of memory.</param>
/// <param name="stopping">Ends reads under way: they serve several waiters and belong to none.</param>
internal sealed class BlockCache(DataObjectReader objects, BufferPool buffers, long limit, CancellationToken stopping) : IDisposable
{
    /// <summary>
    /// A reader for whom blocks were read ahead has left when this many times the cache's bytes were fetched since it last read. Should it
    /// come after all, little is lost: half of the cache is the most that can be read in vain in that time, an eighth of all.
    /// </summary>
    private const int PatienceInCaches = 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<(ObjectId Object, int Block), CachedBlock> _entries = [];
    private readonly LinkedList<CachedBlock> _asked = new();
    private readonly LinkedList<CachedBlock> _ahead = new();
    private long _held;
    private long _aheadBytes;
    private long _fetchedBytes;
    private long _reads;
    private long _misses;
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

    /// <summary>How often a block was read so far, from memory or the store.</summary>
    public long Reads => Interlocked.Read(ref _reads);

    /// <summary>How many blocks were fetched from the store so far.</summary>
    public long Misses => Interlocked.Read(ref _misses);

    /// <summary>How many bytes have come so far: the clock by which readers are seen to leave.</summary>
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

    /// <summary>
    /// Takes neighbouring blocks of an object that was just committed, as if they were read ahead: there are readers who have yet to ask for them.
    /// </summary>
    /// <param name="index">The object's index.</param>
    /// <param name="first">The first of them, by its place in the index.</param>
    /// <param name="last">The last.</param>
    /// <param name="bytes">All of them, one after another; they are copied.</param>
    /// <returns>False if there is no room: then they are read from the store.</returns>
    public bool TryKeep(DataObjectIndex index, int first, int last, ReadOnlySequence<byte> bytes)
    {
        var room = bytes.Length + (last - first + 1L) * CachedBlock.Bookkeeping;
        if (!TryReserveAhead(room))
        {
            return false;
        }

        PooledBuffer? buffer = null;
        try
        {
            buffer = buffers.Rent(checked((int)bytes.Length));
            bytes.CopyTo(buffer.GetSpan());
            BlockRun run;
            lock (_lock)
            {
                run = Begin_NeedsLock(index, first, lastAsked: null, last, reader: null);
            }

            foreach (var entry in run.Blocks)
            {
                entry.Block = new DataBlock(Of(index, entry.Index, first, buffer));
            }

            Publish(index, run, buffer);
            return true;
        }
        catch (OutOfMemoryException)
        {
            return false;
        }
        finally
        {
            ReturnAhead(room);
            buffer?.Release();
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

    // Of the blocks, none is asked for yet where there is no last one that is.
    private async ValueTask<BlockHold?> FindAsync(
        DataObjectIndex index, DataRangeEntry range, int block, int? lastAsked, int lastAlong, SequentialReader? reader, CancellationToken token)
    {
        var ahead = lastAsked is null;
        Interlocked.Increment(ref _reads);
        while (true)
        {
            Task<bool>? reading;
            BlockRun? run = null;
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

    private BlockRun Begin_NeedsLock(DataObjectIndex index, int block, int? lastAsked, int lastAlong, SequentialReader? reader)
    {
        var run = new BlockRun(reader);
        for (var next = block; next <= lastAlong && !_entries.ContainsKey((index.Object, next)); next++)
        {
            var entry = new CachedBlock(index.Object, next, run) { Ahead = lastAsked is not { } asked || next > asked };
            _entries.Add((index.Object, next), entry);
            run.Blocks.Add(entry);
            run.Bytes += index.Blocks[next].Size + CachedBlock.Bookkeeping;
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
    private async Task FetchAsync(DataObjectIndex index, DataRangeEntry range, BlockRun run)
    {
        PooledBuffer? buffer = null;
        try
        {
            var (first, last) = (index.Blocks[run.Blocks[0].Index], index.Blocks[run.Blocks[^1].Index]);
            buffer = buffers.Rent(checked((int)(last.Position + last.Size - first.Position)));
            Interlocked.Add(ref _misses, run.Blocks.Count);
            var found = await objects.ReadAsync(index.Object, first.Position, buffer.Memory, stopping);
            if (found)
            {
                foreach (var entry in run.Blocks)
                {
                    entry.Block = Check(index, range, entry.Index, Of(index, entry.Index, run.Blocks[0].Index, buffer));
                }
            }

            Publish(index, run, found ? buffer : null);
        }
        catch (Exception failure)
        {
            lock (_lock)
            {
                run.Blocks.ForEach(Remove_NeedsLock);
            }

            run.Read.SetException(failure is OperationCanceledException ? DataObjectReader.Stopped() : failure);
        }
        finally
        {
            buffer?.Release();
        }
    }

    private void Publish(DataObjectIndex index, BlockRun run, PooledBuffer? buffer)
    {
        lock (_lock)
        {
            foreach (var entry in run.Blocks)
            {
                if (buffer is null || _disposed)
                {
                    Remove_NeedsLock(entry);
                    continue;
                }

                entry.Buffer = buffer;
                _held += buffer.RetainAccounted() + CachedBlock.Bookkeeping;
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
    private LinkedListNode<CachedBlock>? First_NeedsLock()
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

    private void Evict_NeedsLock(LinkedListNode<CachedBlock> place)
    {
        place.List!.Remove(place);
        Remove_NeedsLock(place.Value);
        _held -= place.Value.Buffer!.ReleaseAccounted() + CachedBlock.Bookkeeping;
    }

    private void Remove_NeedsLock(CachedBlock entry)
    {
        Asked_NeedsLock(entry);
        _entries.Remove((entry.Object, entry.Index));
    }

    private void Asked_NeedsLock(CachedBlock entry)
    {
        if (entry.Ahead)
        {
            entry.Ahead = false;
            _aheadBytes -= --entry.Run.Ahead == 0 ? entry.Run.Bytes : 0;
        }
    }

    /// <summary>A block's bytes in a buffer that begins with another one.</summary>
    private static ReadOnlyMemory<byte> Of(DataObjectIndex index, int block, int first, PooledBuffer buffer) =>
        buffer.Memory.Slice((int)(index.Blocks[block].Position - index.Blocks[first].Position), index.Blocks[block].Size);

    private static DataBlock Check(DataObjectIndex index, in DataRangeEntry range, int block, ReadOnlyMemory<byte> bytes)
    {
        var data = new DataBlock(bytes);
        return data.FindFault(range.Stream, range.Epoch, index.Blocks[block]) is not { } fault
            ? data
            : throw DataObjectReader.Corrupt(index.Object, $"block at {index.Blocks[block].Position}: {fault}");
    }
}
