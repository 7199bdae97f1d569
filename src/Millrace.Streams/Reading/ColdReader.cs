using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;
using Millrace.Streams.State;

namespace Millrace.Streams.Reading;

/// <summary>Reads a stream's records from objects, through the caches, and fetches ahead of sequential readers.</summary>
/// <remarks>Threading: any thread; the stream's lock is held only to ask where its ranges lie.</remarks>
internal sealed class ColdReader(StreamCore core, ReadContext context)
{
    // With the usual pauses less than half a second: whoever reads should hear of the damage before its own time is up.
    private const int QuestionsOfMissing = 3;

    private readonly ReadAhead _readAhead = new(context.Options.DataBlockBytes * 2, context.Options.ReadAheadBytes);

    /// <summary>Reads from an offset that lies in a committed range.</summary>
    public async ValueTask<StreamRead> ReadAsync(long offset, int maxBytes, CancellationToken token)
    {
        var records = new List<StreamRecord>();
        var holds = new List<PooledBuffer>();
        var (next, bytes) = (offset, 0L);
        try
        {
            while (records.Count == 0 || bytes < maxBytes)
            {
                // Beyond the first block only what is in memory: a reader gets what there is rather than wait for more.
                if (await FindBeyondAsync(next, maxBytes, isFirst: records.Count == 0, token) is not var (hold, end))
                {
                    break;
                }

                holds.Add(hold.Buffer);
                var before = records.Count;
                Take(hold.Block, next, end, maxBytes, records, ref bytes);
                if (records.Count == before)
                {
                    break;
                }

                next = records[^1].EndOffset;
            }
        }
        catch
        {
            Release(holds);
            throw;
        }

        FetchAhead(offset, next);
        return new StreamRead(records, () => Release(holds));
    }

    /// <summary>
    /// The first record in committed ranges, from an offset on, with a timestamp of at least this; or null, and the offset up to
    /// which there is none.
    /// </summary>
    public async ValueTask<(StreamRead? Found, long SearchedTo)> FindByTimestampAsync(long offset, long timestamp, CancellationToken token)
    {
        long committedEnd;
        while (FindRange(offset, timestamp, out committedEnd) is { } range)
        {
            if (await OpenAsync(range, Math.Max(offset, range.StartOffset), token) is not { } opened)
            {
                // Trimmed or compacted meanwhile: the stream knows its newer ranges by now.
                continue;
            }

            var (index, entry) = opened;
            var isGone = false;
            for (var block = index.FindBlock(entry, Math.Max(offset, range.StartOffset)); block < entry.FirstBlock + entry.BlockCount; block++)
            {
                if (index.Blocks[block].MaxTimestamp < timestamp)
                {
                    continue;
                }

                if (await context.Blocks.GetAsync(index, entry, block, block, block, reader: null, token) is not { } hold)
                {
                    // Merged with others meanwhile: it is looked for where the records lie now.
                    await RefreshAsync(range.Object, Math.Max(offset, range.StartOffset), token);
                    isGone = true;
                    break;
                }

                for (var i = hold.Block.Find(Math.Max(offset, range.StartOffset)); i < hold.Block.Count; i++)
                {
                    if (hold.Block[i] is var record && record.MaxTimestamp >= timestamp && record.EndOffset <= range.EndOffset)
                    {
                        return (new StreamRead([record], hold.Buffer.Release), offset);
                    }
                }

                hold.Buffer.Release();
            }

            offset = isGone ? offset : range.EndOffset;
        }

        return (null, Math.Max(offset, committedEnd));
    }

    /// <summary>Why no object holds an offset that somebody reads.</summary>
    public StreamException NotInObjects(long offset)
    {
        lock (core.Lock)
        {
            core.Life.ThrowIfEnded();
            return offset < core.Offsets.Start
                ? new StreamException(StreamError.OffsetOutOfRange, $"Stream {core.Id} was trimmed to {core.Offsets.Start} while offset {offset} was read")
                : new StreamException(StreamError.Corrupt, $"Neither memory nor an object holds offset {offset} of stream {core.Id}");
        }
    }

    /// <summary>As <see cref="FindBlockAsync"/>; null, too, where a later block is not to be had: whoever reads there next meets that.</summary>
    private async ValueTask<(BlockHold Hold, long EndOffset)?> FindBeyondAsync(long offset, int maxBytes, bool isFirst, CancellationToken token)
    {
        try
        {
            return await FindBlockAsync(offset, maxBytes, waitForStore: isFirst, token);
        }
        catch (StreamException failure) when (!isFirst)
        {
            StreamsMessages.ReadAheadFailed(context.Logger, core.Id, failure.Message);
            return null;
        }
    }

    /// <summary>The block that holds an offset, and where what counts of it ends.</summary>
    private async ValueTask<(BlockHold Hold, long EndOffset)?> FindBlockAsync(long offset, int maxBytes, bool waitForStore, CancellationToken token)
    {
        while (true)
        {
            if (FindRange(offset) is not { } range)
            {
                return waitForStore ? throw NotInObjects(offset) : null;
            }

            var opened = await OpenAsync(range, offset, token);
            if (opened is not var (index, entry))
            {
                continue;
            }

            var block = index.FindBlock(entry, offset);
            if (block == entry.FirstBlock + entry.BlockCount)
            {
                throw DataObjectReader.Corrupt(range.Object, $"no block holds offset {offset} of stream {core.Id}");
            }

            if (!waitForStore)
            {
                return context.Blocks.TryGet(index.Object, block) is { } held ? (held, range.EndOffset) : null;
            }

            var lastAsked = index.LastWithin(entry, block, maxBytes);
            var reader = _readAhead.Find(offset);
            var room = reader?.Window is { } window && window > maxBytes && context.Blocks.TryReserveAhead(window) ? window : 0;
            var lastAlong = room > 0 ? index.LastWithin(entry, block, room) : lastAsked;
            var reading = context.Blocks.GetAsync(index, entry, block, lastAsked, lastAlong, reader, token);
            context.Blocks.ReturnAhead(room);
            if (await reading is { } hold)
            {
                return (hold, range.EndOffset);
            }

            await RefreshAsync(range.Object, offset, token);
        }
    }

    /// <summary>The index of the object that holds a range, and the range in it; null after the stream had to learn of newer objects.</summary>
    private async ValueTask<(DataObjectIndex Index, DataRangeEntry Range)?> OpenAsync(ObjectRange range, long offset, CancellationToken token)
    {
        var index = await context.Indexes.GetAsync(range.Object, range.ObjectSize, token);
        if (index is null)
        {
            await RefreshAsync(range.Object, offset, token);
            return null;
        }

        var found = index.FindRange(core.Id, range.StartOffset, range.EndOffset);
        if (found < 0 || index.Ranges[found].Epoch != range.Epoch)
        {
            throw DataObjectReader.Corrupt(range.Object, $"it does not hold offsets {range.StartOffset} to {range.EndOffset} of stream {core.Id}");
        }

        return (index, index.Ranges[found]);
    }

    /// <summary>The committed range that contains an offset; null if none does.</summary>
    private ObjectRange? FindRange(long offset)
    {
        lock (core.Lock)
        {
            return core.Ranges.Find(offset);
        }
    }

    /// <summary>As <see cref="CommittedRanges.FindByTimestamp"/>; and where all committed ranges end.</summary>
    private ObjectRange? FindRange(long offset, long timestamp, out long committedEnd)
    {
        lock (core.Lock)
        {
            committedEnd = core.Offsets.Uploaded;
            return core.Ranges.FindByTimestamp(offset, timestamp);
        }
    }

    /// <summary>An object that a range names is gone: asks the registry where its records are now.</summary>
    /// <exception cref="StreamException">
    /// Corrupt if the registry says that they are still there; OffsetOutOfRange if it says that what is read was trimmed, which this node is about to hear.
    /// </exception>
    private async Task RefreshAsync(ObjectId missing, long offset, CancellationToken token)
    {
        var pauses = new BackOff(context.Runtime, context.Options.RetryDelay, context.Options.RetryLimit);
        for (var attempt = 1; !await TryRefreshAsync(missing, offset, token); attempt++)
        {
            if (attempt == QuestionsOfMissing)
            {
                throw DataObjectReader.Corrupt(missing, "the store has no such object");
            }

            // What is told may be a moment old.
            await pauses.PauseAsync(token);
        }
    }

    /// <returns>Whether the records lie elsewhere by now.</returns>
    private async Task<bool> TryRefreshAsync(ObjectId missing, long offset, CancellationToken token)
    {
        var loaded = await RangePages.LoadAsync(context.Registry, core.Id, core.Offsets.Start, core.RangeCount, asOfNow: true, token);
        var found = core.Refresh(loaded, offset);
        var first = loaded.Count > 0 ? loaded[0].StartOffset : long.MaxValue;
        return first <= offset
            ? found?.Object != missing
            : throw new StreamException(StreamError.OffsetOutOfRange, $"Stream {core.Id} was trimmed beyond offset {offset} while that was read");
    }

    // What a block holds beyond the end was committed by somebody else, and this node has not heard of it yet.
    private static void Take(DataBlock block, long offset, long endOffset, int maxBytes, List<StreamRecord> records, ref long bytes)
    {
        for (var i = block.Find(offset); i < block.Count; i++)
        {
            var record = block[i];
            if (record.EndOffset > endOffset || (records.Count > 0 && bytes + record.Payload.Length > maxBytes))
            {
                return;
            }

            records.Add(record);
            bytes += record.Payload.Length;
        }
    }

    private void FetchAhead(long offset, long nextOffset)
    {
        if (_readAhead.Advance(offset, nextOffset, context.Blocks.FetchedBytes) is not { } reader)
        {
            return;
        }

        // Grows while it is fetched for a reader that is faster.
        var window = reader.Window;
        if (!context.Blocks.TryReserveAhead(window))
        {
            // Too many readers for the memory: each reads as it goes, and asks again at its next step.
            _readAhead.Fetched(reader, nextOffset, nextOffset);
        }
        else
        {
            context.Spawn("stream-read-ahead", token => FetchAheadAsync(reader, window, token));
        }
    }

    private async Task FetchAheadAsync(SequentialReader reader, int window, CancellationToken token)
    {
        var (next, middle, left) = (reader.FetchFrom, reader.FetchFrom, (long)window);
        try
        {
            while (left > 0 && FindRange(next) is { } range && await OpenAsync(range, next, token) is var (index, entry))
            {
                var block = index.FindBlock(entry, next);
                var last = index.LastWithin(entry, block, (int)left);
                if (!await context.Blocks.FetchAheadAsync(index, entry, block, last, reader, token))
                {
                    break;
                }

                for (; block <= last; block++)
                {
                    left -= index.Blocks[block].Size;
                    next = index.Blocks[block].EndOffset;
                    middle = left > window / 2 ? next : middle;
                }
            }
        }
        catch (StreamException failure)
        {
            // Whoever reads there meets the failure and hears of it.
            StreamsMessages.ReadAheadFailed(context.Logger, core.Id, failure.Message);
        }
        finally
        {
            context.Blocks.ReturnAhead(window);
            _readAhead.Fetched(reader, middle, next);
        }
    }

    private static void Release(List<PooledBuffer> holds)
    {
        foreach (var hold in holds)
        {
            hold.Release();
        }
    }
}
