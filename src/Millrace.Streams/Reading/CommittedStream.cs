using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Reading;

/// <inheritdoc cref="ICommittedStream"/>
internal sealed class CommittedStream(NodeRuntime runtime, StreamId id, StreamsOptions options, IStreamRegistry registry, ObjectCache cache) : ICommittedStream
{
    private const int RangesAtOnce = 32;

    // Readers that are further apart than that ask again now and then: it bounds what is remembered of a stream.
    private const int Pages = 4;

    // The owner knows it as well, and can be asked.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly IReadOnlyList<ObjectRange>?[] _pages = new IReadOnlyList<ObjectRange>?[Pages];
    private readonly ReadAhead _readAhead = new(options.DataBlockBytes * 2, options.ReadAheadBytes);
    private int _oldest;

    public async ValueTask<StreamRead?> ReadAsync(long offset, int maxBytes, CancellationToken token)
    {
        var range = Find(offset) ?? await LoadAsync(offset, asOfNow: false, token);
        if (range is null)
        {
            return null;
        }

        if (await ReadAsync(range, offset, maxBytes, token) is { } read)
        {
            return read;
        }

        // Its object was merged with others, or trimmed, since that was told.
        Forget();
        range = await LoadAsync(offset, asOfNow: true, token);
        return range is null ? null
            : await ReadAsync(range, offset, maxBytes, token)
                ?? throw new StreamException(StreamError.OffsetOutOfRange, $"Offset {offset} of stream {id} is in object {range.Object} no more");
    }

    /// <returns>Null if there is no such object.</returns>
    private async ValueTask<StreamRead?> ReadAsync(ObjectRange range, long offset, int maxBytes, CancellationToken token)
    {
        if (await cache.Indexes.GetAsync(range.Object, range.ObjectSize, token) is not { } index)
        {
            return null;
        }

        if (index.FindRange(id, range.StartOffset, range.EndOffset) is not (>= 0 and var found) || index.Ranges[found].Epoch != range.Epoch)
        {
            throw DataObjectReader.Corrupt(range.Object, $"it does not hold offsets {range.StartOffset} to {range.EndOffset} of stream {id}");
        }

        var entry = index.Ranges[found];
        var block = index.FindBlock(entry, offset);
        if (block == entry.FirstBlock + entry.BlockCount)
        {
            throw DataObjectReader.Corrupt(range.Object, $"no block holds offset {offset} of stream {id}");
        }

        var last = index.LastWithin(entry, block, maxBytes);
        var (records, holds) = (new List<StreamRecord>(), new List<PooledBuffer>());
        var bytes = 0L;
        try
        {
            if (await GetAsync(index, entry, block, last, maxBytes, offset, token) is not { } first)
            {
                return null;
            }

            // Beyond the first block only what is in memory: a reader gets what there is rather than wait for more.
            for (BlockHold? hold = first; hold is { } held; hold = ++block <= last ? cache.Blocks.TryGet(index.Object, block) : null)
            {
                holds.Add(held.Buffer);
                if (!TryTake(held.Block, offset, range.EndOffset, maxBytes, records, ref bytes))
                {
                    break;
                }
            }
        }
        catch
        {
            Release(holds);
            throw;
        }

        if (records.Count == 0)
        {
            Release(holds);
            throw DataObjectReader.Corrupt(range.Object, $"no record holds offset {offset} of stream {id}");
        }

        if (_readAhead.Advance(offset, records[^1].EndOffset, cache.Blocks.FetchedBytes) is { } reader)
        {
            // It reads more at once the longer it goes on, and by itself.
            _readAhead.Fetched(reader, records[^1].EndOffset, records[^1].EndOffset);
        }

        return new StreamRead(records, () => Release(holds));
    }

    private async ValueTask<BlockHold?> GetAsync(
        DataObjectIndex index, DataRangeEntry entry, int block, int last, int maxBytes, long offset, CancellationToken token)
    {
        var reader = _readAhead.Find(offset);
        var room = reader?.Window is { } window && window > maxBytes && cache.Blocks.TryReserveAhead(window) ? window : 0;
        try
        {
            return await cache.Blocks.GetAsync(index, entry, block, last, room > 0 ? index.LastWithin(entry, block, room) : last, reader, token);
        }
        finally
        {
            cache.Blocks.ReturnAhead(room);
        }
    }

    /// <returns>Whether there may be more in the next block.</returns>
    private static bool TryTake(DataBlock block, long offset, long endOffset, int maxBytes, List<StreamRecord> records, ref long bytes)
    {
        for (var i = block.Find(offset); i < block.Count; i++)
        {
            var record = block[i];
            if (record.EndOffset > endOffset || (records.Count > 0 && bytes + record.Payload.Length > maxBytes))
            {
                return false;
            }

            records.Add(record);
            bytes += record.Payload.Length;
        }

        return bytes < maxBytes;
    }

    private ObjectRange? Find(long offset)
    {
        lock (_lock)
        {
            foreach (var page in _pages)
            {
                if (page is not null && page[0].StartOffset <= offset && offset < page[^1].EndOffset)
                {
                    return Find(page, offset);
                }
            }

            return null;
        }
    }

    /// <summary>The range that contains an offset; null if none does. Those that only carry a checkpoint contain none.</summary>
    private static ObjectRange? Find(IReadOnlyList<ObjectRange> page, long offset)
    {
        foreach (var range in page)
        {
            if (range.StartOffset <= offset && offset < range.EndOffset)
            {
                return range;
            }
        }

        return null;
    }

    private async ValueTask<ObjectRange?> LoadAsync(long offset, bool asOfNow, CancellationToken token)
    {
        var page = await AskAsync(offset, asOfNow, token);
        if (page.Count == 0)
        {
            return null;
        }

        lock (_lock)
        {
            // What goes on from a page takes its place: the last one grows while readers follow it.
            var start = page[0].StartOffset;
            var same = Array.FindIndex(_pages, known => known is not null && known[0].StartOffset <= start && start < known[^1].EndOffset);
            _pages[same >= 0 ? same : _oldest] = page;
            _oldest = same >= 0 ? _oldest : (_oldest + 1) % Pages;
        }

        return Find(page, offset);
    }

    private async ValueTask<IReadOnlyList<ObjectRange>> AskAsync(long offset, bool asOfNow, CancellationToken token)
    {
        using var patience = new CancellationTokenSource(Patience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        try
        {
            return await registry.GetRangesAsync(id, offset, RangesAtOnce, asOfNow, either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            throw new StreamException(
                StreamError.ControllerLost, $"Nobody has told within {Patience.TotalSeconds:0} s where offset {offset} of stream {id} lies");
        }
    }

    private void Forget()
    {
        lock (_lock)
        {
            Array.Clear(_pages);
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
