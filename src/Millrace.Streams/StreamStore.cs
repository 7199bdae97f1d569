using Microsoft.Extensions.Logging;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;

namespace Millrace.Streams;

/// <summary>The streams of one node incarnation; see <see cref="IStreamStore"/>.</summary>
public sealed class StreamStore : IStreamStore
{
    private const int RangesAtOnce = 1000;

    // With the default 12 MiB: tens of thousands of commits, or an hour of an outage for a hundred groups.
    private const int ReserveFraction = 16;
    private readonly Lock _lock = new();
    private readonly NodeRuntime _runtime;
    private readonly SortedDictionary<StreamId, Stream> _streams = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Uploader _uploader;
    private readonly Task _uploads;
    private readonly Retry _retry;
    private readonly DataObjectReader _reader;
    private readonly UnservedOpenings _unserved;

    // The newest epoch at which a stream was lost here while it was open.
    private readonly SortedDictionary<StreamId, StreamEpoch> _lostAt = [];
    private readonly TaskCompletionSource<StreamException> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private StreamException? _ended;
    private bool _disposed;

    /// <summary>Starts a store; its loops run until it is disposed.</summary>
    public StreamStore(NodeRuntime runtime, StreamsOptions options, StreamsComponents components)
    {
        (_runtime, Options, Components) = (runtime, options, components);
        Logger = runtime.Loggers.CreateLogger<StreamStore>();
        _retry = new Retry(runtime, options, Logger);
        _unserved = new UnservedOpenings(this, _retry);
        WalTrim = new WalTrim(this, _retry);
        _reader = new DataObjectReader(runtime, options, components.Storage);
        Budget = new MemoryBudget(options.NotUploadedBytes, options.NotUploadedBytes / ReserveFraction, OnPressure);
        Metrics = new StreamsMetrics();
        SmallRecords = new SmallRecordArena(components.Buffers);
        Tail = new TailCache(options.TailCacheBytes, Budget);
        Indexes = new ObjectIndexCache(_reader, options.IndexCacheBytes, _stopping.Token);
        Blocks = new BlockCache(_reader, components.Buffers, Metrics, options.BlockCacheBytes, _stopping.Token);
        Metrics.Observe(this);
        _uploader = new Uploader(runtime, options, components, this);
        _uploads = runtime.Spawn("stream-uploader", _ => _uploader.RunAsync(_stopping.Token));
        Spawn("stream-wal-watch", WatchWalAsync);
    }

    /// <summary>Memory of records that only the WAL has, appends under way included.</summary>
    public long NotUploadedBytes => Math.Max(0, Budget.Held - Tail.Bytes);

    /// <summary>How many open streams have such records.</summary>
    public int NotUploadedStreams => Streams.Count(stream => stream.UploadedOffset < stream.NextOffset);

    public int MaxAppendBytes => Components.Wal.MaxRecordBytes;

    /// <summary>Completes when this incarnation can write nothing any more, with the reason: its WAL is lost, or its registration fenced.</summary>
    public Task<StreamException> Lost => _lost.Task;

    internal StreamsOptions Options { get; }

    internal StreamsComponents Components { get; }

    internal TimeProvider Time => _runtime.Time;

    internal ILogger Logger { get; }

    internal StreamsMetrics Metrics { get; }

    internal MemoryBudget Budget { get; }

    internal SmallRecordArena SmallRecords { get; }

    internal AppendCompletions Completions { get; } = new();

    internal TailCache Tail { get; }

    internal WalTrim WalTrim { get; }

    internal ObjectIndexCache Indexes { get; }

    internal BlockCache Blocks { get; }

    /// <summary>The open streams, by id.</summary>
    internal IReadOnlyList<Stream> Streams
    {
        get
        {
            lock (_lock)
            {
                return [.. _streams.Values];
            }
        }
    }

    public async ValueTask<IStream> OpenAsync(StreamId id, StreamEpoch epoch, IStreamOwner owner, CancellationToken token)
    {
        ThrowIfNotOpenable(id, epoch);
        Stream stream;
        try
        {
            await _unserved.CloseAsync(id, below: epoch, token);
            _unserved.Add(id, epoch);
            var opening = await Components.Registry.OpenAsync(Components.Node, id, epoch, token);
            var ranges = await LoadRangesAsync(id, opening.StartOffset, token);
            var checkpoint = opening.CheckpointRange is { } range ? await ReadCheckpointAsync(range, token) : (StreamCheckpoint?)null;
            if (opening.EndOffset > opening.StartOffset && (ranges.Count == 0 || ranges[^1].EndOffset != opening.EndOffset))
            {
                throw new StreamException(StreamError.Corrupt, $"The registry's ranges of stream {id} do not end at its end, {opening.EndOffset}");
            }

            stream = new Stream(this, id, epoch, owner, opening, ranges, checkpoint);
        }
        catch (ObjectStorageException failure)
        {
            throw new StreamException(StreamError.StorageUnavailable, failure.Message, failure);
        }

        lock (_lock)
        {
            ThrowIfNotOpenable(id, epoch);
            _streams.Add(id, stream);
            _unserved.Remove(id);
        }

        return stream;
    }

    public ValueTask<AppendPermit> AdmitAsync(long bytes, CancellationToken token) => Budget.AdmitAsync(CostOf(bytes), token);

    public ValueTask<AppendPermit> AdmitFromReserveAsync(long bytes, CancellationToken token) => Budget.AdmitFromReserveAsync(CostOf(bytes), token);

    public async ValueTask CloseAsync(CancellationToken token)
    {
        lock (_lock)
        {
            _ended ??= new StreamException(StreamError.Closed, "The stream store is closing");
        }

        // All at once: they share an upload.
        await Task.WhenAll(Streams.Select(stream => CloseAsync(stream, token)));
        await _uploader.LastUpload.OrCancelled(token);
        await _unserved.CloseAllAsync(token);
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

        _stopping.Cancel();
        await _uploads;
        LoseAll(new StreamException(StreamError.Closed, "The stream store has stopped"));
        SmallRecords.Dispose();
        Blocks.Dispose();
        Metrics.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Starts something that ends with the store.</summary>
    internal void Spawn(string name, Func<CancellationToken, Task> work)
    {
        var stopping = _stopping.Token;
        _ = _runtime.Spawn(name, async _ =>
        {
            try
            {
                await work(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // The store stops.
            }
        });
    }

    internal void OnAppended(int bytes, int held)
    {
        Metrics.BytesAppended.Add(bytes);
        _uploader.OnAppended(held);
    }

    internal void RequestUpload() => _uploader.Request();

    /// <summary>An upload goes without records that are not durable yet: another one takes them, at once if somebody waits or the WAL is full of them.</summary>
    internal void OnLeftBehind(bool isWaitedFor)
    {
        if (isWaitedFor || Components.Wal.Fullness >= 1)
        {
            _uploader.Request();
        }
        else
        {
            _uploader.OnAppended(held: 0);
        }
    }

    internal async Task CloseRangeAsync(StreamId id, StreamEpoch epoch, long endOffset, CancellationToken token) => await _retry.UntilDoneAsync(
        "Closing a stream",
        async cancel =>
        {
            await Components.Registry.CloseAsync(Components.Node, id, epoch, endOffset, cancel);
            return true;
        },
        token);

    internal void OnClosed(Stream stream)
    {
        lock (_lock)
        {
            _streams.Remove(stream.Id);
        }
    }

    internal void OnLost(Stream stream, StreamException reason)
    {
        if (reason.Error == StreamError.Unknown)
        {
            // Somebody wanted it gone.
            Log.StreamDeleted(Logger, stream.Id);
        }
        else if (reason.Error != StreamError.Closed)
        {
            Log.StreamLost(Logger, stream.Id, reason.Error, reason.Message);
        }

        var isPinning = stream.OldestNeededPosition is not null;
        lock (_lock)
        {
            _streams.Remove(stream.Id);
            _lostAt[stream.Id] = stream.Epoch;
            if (!isPinning)
            {
                return;
            }

            WalTrim.Pin(stream);
            if (_ended is null)
            {
                // Lost alone: the others go on, and need the space.
                Spawn("stream-settle", token => WalTrim.SettleAsync(stream, token));
            }
        }
    }

    /// <summary>This incarnation can write nothing any more: nothing is appended, uploaded or trimmed from now on.</summary>
    internal void LoseAll(StreamException reason)
    {
        lock (_lock)
        {
            _ended = reason;
        }

        Budget.Close(reason);
        foreach (var stream in Streams)
        {
            stream.Lose(reason);
        }

        _lost.TrySetResult(reason);
    }

    /// <summary>The registry did not take a range as it was offered: finds out what it has instead.</summary>
    internal async Task ReconcileAsync(StreamCut cut, CancellationToken token)
    {
        var (stream, id, end) = (cut.Stream, cut.Stream.Id, cut.Range.EndOffset);
        var committed = await _retry.UntilDoneAsync("Asking for a stream's end", cancel => Components.Registry.GetCommittedEndAsync(id, cancel), token);
        if (committed is null)
        {
            stream.Lose(new StreamException(StreamError.Unknown, $"Stream {id} has been deleted"));
        }
        else if (committed != end)
        {
            stream.Lose(new StreamException(StreamError.Fenced, $"Stream {id} ends at {committed} in the registry, and at {end} here: it has another owner"));
        }
        else
        {
            try
            {
                var start = stream.StartOffset;
                stream.OnCommitted(await _retry.UntilDoneAsync("Asking for a stream's ranges", cancel => LoadRangesAsync(id, start, cancel), token), end);
            }
            catch (StreamException deleted) when (deleted.Error == StreamError.Unknown)
            {
                // Since the question before. It is this stream's end, and not the upload's.
                stream.Lose(deleted);
            }
        }
    }

    /// <summary>All committed ranges of a stream that end after an offset.</summary>
    internal async ValueTask<IReadOnlyList<ObjectRange>> LoadRangesAsync(StreamId id, long startOffset, CancellationToken token)
    {
        var ranges = new List<ObjectRange>();
        while (true)
        {
            var page = await Components.Registry.GetRangesAsync(id, ranges.Count > 0 ? ranges[^1].EndOffset : startOffset, RangesAtOnce, token);
            ranges.AddRange(page);
            if (page.Count < RangesAtOnce)
            {
                return ranges;
            }
        }
    }

    private async ValueTask<StreamCheckpoint> ReadCheckpointAsync(ObjectRange range, CancellationToken token)
    {
        var index = await Indexes.GetAsync(range.Object, range.ObjectSize, token);
        var found = index?.FindRange(range.Stream, range.StartOffset) ?? -1;
        if (index is not null && found >= 0 && index.Ranges[found] is { Checkpoint.Length: > 0 } entry
            && await _reader.ReadAttachmentAsync(range.Object, entry.Checkpoint, token) is { } state)
        {
            return new StreamCheckpoint(entry.EndOffset, state);
        }

        throw DataObjectReader.Corrupt(range.Object, $"it lacks the checkpoint of stream {range.Stream} at {range.EndOffset}");
    }

    private static long CostOf(long payload) => payload + RecordCost.Cached + RecordCost.UnderWay;

    private async Task WatchWalAsync(CancellationToken token)
    {
        var reason = await Components.Wal.Lost.OrCancelled(token);
        Log.AllLost(Logger, reason.Error, reason.Message);
        LoseAll(reason);
    }

    private void OnPressure()
    {
        Tail.Shrink();
        _uploader.Wake();
    }

    private static async Task CloseAsync(Stream stream, CancellationToken token)
    {
        try
        {
            await stream.CloseAsync(token);
        }
        catch (StreamException deleted) when (deleted.Error == StreamError.Unknown)
        {
            // Deleted meanwhile: nothing is left to close, and the others' closing is no worse for it.
        }
    }

    private void ThrowIfNotOpenable(StreamId id, StreamEpoch epoch)
    {
        lock (_lock)
        {
            if (_ended is { } ended)
            {
                throw new StreamException(ended.Error, ended.Message, ended);
            }

            if (_streams.ContainsKey(id))
            {
                throw new InvalidOperationException($"Stream {id} is open on this node already");
            }

            // The registry would open it again, and the offsets of what is in the WAL would be given out a second time.
            if (_lostAt.TryGetValue(id, out var lost) && lost >= epoch)
            {
                throw new StreamException(StreamError.Fenced, $"Stream {id} was lost on this node at epoch {lost}: only a higher one can open it");
            }
        }
    }
}
