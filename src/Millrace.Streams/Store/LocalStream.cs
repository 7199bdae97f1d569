using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Append;
using Millrace.Streams.Cache;
using Millrace.Streams.Open;
using Millrace.Streams.Reading;
using Millrace.Streams.State;
using Millrace.Streams.Upload;

namespace Millrace.Streams.Store;

/// <summary>
/// A stream open on this node: what its owner holds. It looks at what the owner hands in, and reads from memory, else from objects; what becomes of
/// records has its sides: <see cref="StreamAppends"/>, <see cref="StreamUploads"/>, <see cref="StreamEnds"/>.
/// </summary>
internal sealed class LocalStream : IStream
{
    private static readonly StreamRead Nothing = new([]);
    private readonly StreamContext _context;
    private readonly StreamAppends _appends;
    private readonly StreamEnds _ends;
    private readonly ColdReader _cold;

    public LocalStream(StreamId id, StreamEpoch epoch, IStreamOwner owner, in OpenedStream opened, StreamContext context, IStreamHost host)
    {
        _context = context;
        Epochs = opened.Opening.Epochs;
        Checkpoint = opened.Checkpoint;
        Core = new StreamCore(
            id, epoch, owner, opened.Opening, opened.Checkpoint?.State.Length ?? 0, opened.ReplayedBytes,
            context.Components.Wals.Find(opened.Opening.Wal), host, context.Appends.Budget, context.Components.Buffers);
        Wal = opened.Opening.Wal;
        Core.Ranges.Replace(opened.Ranges);
        _appends = new StreamAppends(Core, context.Appends);
        _cold = new ColdReader(Core, context.Reads);
        Uploads = new StreamUploads(Core, context.Uploads);
        _ends = new StreamEnds(Core, Uploads, context);
    }

    public StreamId Id => Core.Id;

    public StreamEpoch Epoch => Core.Epoch;

    public WalKind? Wal { get; }

    public IReadOnlyList<EpochStart> Epochs { get; }

    public StreamCheckpoint? Checkpoint { get; }

    public long StartOffset => Core.Offsets.Start;

    public long CommittedOffset => Core.Offsets.Uploaded;

    public long ConfirmOffset => Core.Offsets.Confirmed;

    public long NextOffset => Core.Offsets.Next;

    public long UncommittedBytes => Core.Offsets.UncommittedBytes;

    public IReadOnlyList<StreamExtent> Extents => _ends.Extents;

    internal StreamCore Core { get; }

    internal StreamUploads Uploads { get; }

    public ValueTask<AppendPermit> AdmitAsync(long bytes, CancellationToken token) => _context.Appends.Budget.AdmitAsync(CostOf(bytes), token);

    public ValueTask<AppendPermit> AdmitFromReserveAsync(long bytes, CancellationToken token) =>
        _context.Appends.Budget.AdmitFromReserveAsync(CostOf(bytes), token);

    public ValueTask AppendAsync(in StreamAppend append, AppendPermit permit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(append.Count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(append.Payload.Length, Core.Wal.MaxRecordBytes);
        if (append.PayloadChecksum is { } stated && append.Payload.Length >= Crc32C.WorthJoining && Crc32C.Of(append.Payload.Span) != stated)
        {
            // WAL blocks and objects take it over, and would be unreadable, neighbours included. Short payloads are summed up there anyway.
            throw new StreamException(StreamError.Corrupt, $"A record for stream {Id} does not have the checksum that its caller states");
        }

        if (append.Payload.Length > SmallRecordArena.LargestPayload)
        {
            return _appends.AppendAsync(append, permit);
        }

        var payload = _context.Appends.SmallRecords.Copy(append.Payload.Span, out var holder);
        try
        {
            return _appends.AppendAsync(append with { Payload = payload, Buffer = holder }, permit);
        }
        finally
        {
            holder.Release();
        }
    }

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

    public WalExtent? FindInWal(long offset)
    {
        var wal = Core.Wal;
        lock (Core.Lock)
        {
            if (Core.Life.HasEnded || !Core.Cache.TryFind(offset, out var at) || at.Record.EndOffset > Core.Offsets.Confirmed
                || wal.FindObject(at.Record.WalPosition) is not var (place, end))
            {
                return null;
            }

            var (next, bytes) = (offset, 0L);
            for (; at.IsAtRecord && at.Record.WalPosition < end && at.Record.EndOffset <= Core.Offsets.Confirmed; at.MoveNext())
            {
                (next, bytes) = (at.Record.EndOffset, bytes + at.Record.Payload.Length);
            }

            return new WalExtent(wal.Descriptor.Location, place.Term, place.Index, Epoch, next, bytes);
        }
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

            offset = searchedTo > offset ? searchedTo : throw _cold.NotInObjects(offset);
        }
    }

    public async ValueTask UploadAsync(long endOffset, CancellationToken token)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(endOffset, NextOffset);
        await Uploads.WhenCommittedAsync(endOffset).OrCancelled(token);
    }

    public ValueTask TrimAsync(long startOffset, CancellationToken token) => _ends.TrimAsync(startOffset, token);

    public void Lose(StreamException reason) => Core.Lose(reason);

    public ValueTask CloseAsync(CancellationToken token) => _ends.CloseAsync(handsOver: false, token);

    public ValueTask HandOverAsync(CancellationToken token) => _ends.CloseAsync(handsOver: true, token);

    public bool MayHaveMoved => HandOverRules.MayHaveMoved(Core.Life.IsAsked);

    public bool TryTakeBack() => Core.TryTakeBack(HandOverRules);

    private HandOverRules HandOverRules => _context.Uploads.Options.HandOverRules;

    private static long CostOf(long payload) => payload + RecordCost.Cached + RecordCost.UnderWay;
}
