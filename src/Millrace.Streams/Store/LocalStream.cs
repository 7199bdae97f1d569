using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Append;
using Millrace.Streams.Open;
using Millrace.Streams.Reading;
using Millrace.Streams.State;
using Millrace.Streams.Upload;

namespace Millrace.Streams.Store;

/// <summary>A stream open on this node: what its owner holds. It is read here, from memory, else from objects; appends and uploads have their sides.</summary>
internal sealed class LocalStream : IStream
{
    private static readonly StreamRead Nothing = new([]);
    private readonly StreamContext _context;
    private readonly StreamAppends _appends;
    private readonly RangeLookup _ranges;
    private readonly ColdReader _cold;

    public LocalStream(StreamId id, StreamEpoch epoch, IStreamOwner owner, in OpenedStream opened, StreamContext context, IStreamHost host)
    {
        _context = context;
        Epochs = opened.Opening.Epochs;
        Checkpoint = opened.Checkpoint;
        Core = new StreamCore(id, epoch, owner, opened.Opening, opened.Checkpoint?.State.Length ?? 0, host, context.Appends.Budget, context.Components.Buffers);
        Core.Ranges.Replace(opened.Ranges);
        _appends = new StreamAppends(Core, context.Appends);
        _ranges = new RangeLookup(Core, context.Reads.Registry);
        _cold = new ColdReader(id, _ranges, context.Reads);
        Uploads = new StreamUploads(Core, context.Uploads);
    }

    public StreamId Id => Core.Id;

    public StreamEpoch Epoch => Core.Epoch;

    public IReadOnlyList<EpochStart> Epochs { get; }

    public StreamCheckpoint? Checkpoint { get; }

    public long StartOffset => Core.Offsets.Start;

    public long ConfirmOffset => Core.Offsets.Confirmed;

    public long NextOffset => Core.Offsets.Next;

    public IReadOnlyList<StreamExtent> Extents
    {
        get
        {
            lock (Core.Lock)
            {
                var extents = new List<StreamExtent>(Core.Ranges.Count + 1);
                for (var i = 0; i < Core.Ranges.Count; i++)
                {
                    var range = Core.Ranges[i];
                    extents.Add(new(range.StartOffset, range.EndOffset, range.Bytes, range.MaxTimestamp));
                }

                if (Core.Offsets.Confirmed > Core.Offsets.Uploaded)
                {
                    extents.Add(ConfirmedTail_NeedsLock());
                }

                return extents;
            }
        }
    }

    internal StreamCore Core { get; }

    internal StreamUploads Uploads { get; }

    public ValueTask AppendAsync(in StreamAppend append, AppendPermit permit) => _appends.AppendAsync(append, permit);

    public ValueTask<StreamRead> ReadAsync(long offset, int maxBytes, CancellationToken token)
    {
        lock (Core.Lock)
        {
            Core.Life.ThrowIfEnded();
            var (start, confirmed) = (Core.Offsets.Start, Core.Offsets.Confirmed);
            if (offset < start || offset > confirmed)
            {
                throw new StreamException(StreamError.OffsetOutOfRange, $"Offset {offset} of stream {Id} lies outside [{start}, {confirmed}]");
            }

            if (offset == confirmed)
            {
                return new(Nothing);
            }

            if (Core.Cache.TryFind(offset, out var first))
            {
                _context.Reads.Metrics.LogCacheReads.Add(1);
                return new(Core.Cache.Read(first, confirmed, maxBytes));
            }
        }

        return _cold.ReadAsync(offset, maxBytes, token);
    }

    public async ValueTask<StreamRead?> FindByTimestampAsync(long timestamp, long fromOffset, CancellationToken token)
    {
        var offset = fromOffset;
        while (true)
        {
            lock (Core.Lock)
            {
                Core.Life.ThrowIfEnded();
                offset = Math.Max(offset, StartOffset);
                if (offset >= ConfirmOffset)
                {
                    return null;
                }

                // What is cached is searched here. What is not lies in objects, and by the time those are searched more may be cached.
                if (Core.Cache.TryFind(offset, out var first))
                {
                    return Core.Cache.FindByTimestamp(first, ConfirmOffset, timestamp);
                }
            }

            var (found, searchedTo) = await _cold.FindByTimestampAsync(offset, timestamp, token);
            if (found is not null)
            {
                return found;
            }

            offset = searchedTo > offset ? searchedTo : throw _ranges.NotInObjects(offset);
        }
    }

    public async ValueTask UploadAsync(long endOffset, CancellationToken token)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(endOffset, NextOffset);
        await Uploads.WhenCommittedAsync(endOffset).OrCancelled(token);
    }

    public async ValueTask TrimAsync(long startOffset, CancellationToken token)
    {
        lock (Core.Lock)
        {
            Core.Life.ThrowIfEnded();
            if (startOffset > Core.Offsets.Confirmed)
            {
                throw new StreamException(StreamError.OffsetOutOfRange, $"Stream {Id} ends at {Core.Offsets.Confirmed} and cannot be trimmed at {startOffset}");
            }

            if (startOffset <= Core.Offsets.Start)
            {
                return;
            }
        }

        // The registry trims what it knows of, and the owner's state must not go with the records that it would be replayed from.
        await Uploads.WhenCommittedAsync(startOffset).OrCancelled(token);
        await Uploads.WhenCheckpointedAsync(startOffset).OrCancelled(token);
        await _context.Components.Registry.TrimAsync(_context.Components.Node, Id, Epoch, startOffset, token);
        long released;
        lock (Core.Lock)
        {
            Core.Offsets.Trim(startOffset);
            Core.Ranges.Trim(Core.Offsets.Start);
            released = Core.Cache.Evict(Core.Offsets.Start);
        }

        _context.Appends.Budget.Release(released);
    }

    public void Lose(StreamException reason) => Core.Lose(reason);

    public async ValueTask CloseAsync(CancellationToken token)
    {
        Task confirmed;
        long end;
        lock (Core.Lock)
        {
            if (Core.Life.Phase == StreamPhase.Closed)
            {
                return;
            }

            Core.Life.BeginClosing();
            end = Core.Offsets.Next;
            confirmed = Core.Offsets.Confirmed >= end ? Task.CompletedTask : Core.Confirmed.Add(end);
        }

        await confirmed.OrCancelled(token);
        try
        {
            await Uploads.WhenCommittedAsync(end).OrCancelled(token);
            await _context.Registry.CloseAsync(Id, Epoch, end, token);
        }
        catch (StreamException refused)
        {
            // It will not be closed by this node any more; a later epoch may still be opened here.
            Lose(refused);
            throw;
        }

        Core.Close();
    }

    private StreamExtent ConfirmedTail_NeedsLock()
    {
        var (bytes, maxTimestamp) = (0L, long.MinValue);
        for (var at = Core.Cache.Seek(Core.Offsets.Uploaded); at.IsAtRecord && at.Record.EndOffset <= Core.Offsets.Confirmed; at.MoveNext())
        {
            bytes += at.Record.Payload.Length;
            maxTimestamp = Math.Max(maxTimestamp, at.Record.MaxTimestamp);
        }

        return new(Core.Offsets.Uploaded, Core.Offsets.Confirmed, bytes, maxTimestamp);
    }
}
