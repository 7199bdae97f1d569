using Microsoft.Extensions.Logging;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Append;
using Millrace.Streams.Cache;
using Millrace.Streams.Open;
using Millrace.Streams.Reading;
using Millrace.Streams.Registry;
using Millrace.Streams.State;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;

namespace Millrace.Streams.Store;

/// <summary>The streams of one node incarnation; see <see cref="IStreamStore"/>. Puts the parts together, and ends them.</summary>
public sealed class StreamStore : IStreamStore, IStreamHost
{
    // With the default 12 MiB: tens of thousands of commits, or an hour of an outage for a hundred groups.
    private const int ReserveFraction = 16;

    // What brokers of other racks tell of themselves at about the same time: they have it soon, or never.
    private const long WalObjectBytes = 8 << 20;

    private readonly NodeRuntime _runtime;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger;
    private readonly OpenStreams _open = new();
    private readonly LostStreams _lost;
    private readonly SettledStreams _settled;
    private readonly TaskCompletionSource<StreamException> _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WalTrim _walTrim;
    private readonly UnservedOpenings _unserved;
    private readonly StreamOpener _opener;
    private readonly StreamContext _context;
    private readonly SmallRecordArena _smallRecords;
    private readonly WalWaitTally _walWaits;
    private readonly WalObjects _walObjects;

    // Null where it is somebody else's.
    private readonly ObjectCache? _ownCache;
    private readonly Uploader _uploader;
    private readonly Task _uploads;
    private int _disposed;

    /// <summary>Starts a store; its loops run until it is disposed.</summary>
    public StreamStore(NodeRuntime runtime, StreamsOptions options, StreamsComponents components)
    {
        (_runtime, Options, Components) = (runtime, options, components);
        _logger = runtime.Loggers.CreateLogger<StreamStore>();
        Metrics = new StreamsMetrics();
        Budget = new MemoryBudget(options.NotUploadedBytes, options.NotUploadedBytes / ReserveFraction, OnPressure);
        Tail = new TailCache(options.TailCacheBytes, Budget);
        Planner = new UploadPlanner(
            runtime.Time, options, components.Wals, Budget, () => Streams.Count(stream => stream.Uploads.IsNeeded));
        _smallRecords = new SmallRecordArena(components.Buffers);
        _walWaits = new WalWaitTally(runtime.Time);
        _walObjects = new WalObjects(runtime, components.Storage, components.Buffers, WalObjectBytes);
        Cache = components.Cache ?? (_ownCache = new ObjectCache(runtime, options, components.Storage, components.Buffers));

        var registry = new RegistryCalls(components.Node, components.Registry, new Retry(runtime, options, _logger));
        _lost = new LostStreams(registry, _logger);
        _walTrim = new WalTrim(() => Streams.Select(stream => stream.Core), () => _lost.Pinning, _logger);
        _settled = new SettledStreams(_walTrim, runtime.Time, Spawn);
        _unserved = new UnservedOpenings(registry);
        _opener = new StreamOpener(components.Node, components.Registry, _unserved, Indexes, Cache.Objects);
        _context = new StreamContext(
            components,
            registry,
            new AppendContext(Budget, _smallRecords, Planner, Metrics, _walWaits),
            new ReadContext(runtime, options, Indexes, Blocks, components.Registry, Metrics, _logger, Spawn),
            new UploadContext(runtime.Time, options, components.Wals, Planner, registry, Indexes, Tail));

        var target = new UploadTarget(components.Node, components.Storage, components.Registry, components.Buffers);
        var uploads = new ObjectUploader(runtime, options, target, _logger, Budget, Metrics.UploadFailures, new PreparedIds(runtime.Time));
        _uploader = new Uploader(runtime, _context.Uploads, _open, uploads, _walTrim, LoseAll, Metrics, _logger);
        StoreGauges.Observe(Metrics.Meter, this);
        _uploads = runtime.Spawn("stream-uploader", _ => _uploader.RunAsync(_stopping.Token));
        foreach (var wal in components.Wals.All)
        {
            Spawn("stream-wal-watch", token => WatchAsync(wal, token));
        }
    }

    /// <summary>Memory of records that only the WAL has, appends under way included.</summary>
    public long NotUploadedBytes => Math.Max(0, Budget.Held - Tail.Bytes);

    /// <summary>How many open streams have such records.</summary>
    public int NotUploadedStreams => Streams.Count(stream => stream.Core.Offsets.Uploaded < stream.NextOffset);

    public bool IsBusy => Budget.Waiting > 0 || NotUploadedBytes > Options.NotUploadedBytes / 2;

    public int MaxAppendBytes => Components.Wals.MaxRecordBytes;

    /// <summary>Completes when this incarnation can write nothing any more, with the reason: its WAL is lost, or its registration fenced.</summary>
    public Task<StreamException> Lost => _over.Task;

    public StoreTrouble? StoreTrouble => Components.Storage.Trouble;

    public WalWaits WalWaits => _walWaits.Sum;

    internal StreamsOptions Options { get; }

    internal StreamsComponents Components { get; }

    internal StreamsMetrics Metrics { get; }

    internal MemoryBudget Budget { get; }

    internal TailCache Tail { get; }

    internal UploadPlanner Planner { get; }

    internal ObjectCache Cache { get; }

    internal ObjectIndexCache Indexes => Cache.Indexes;

    internal BlockCache Blocks => Cache.Blocks;

    /// <summary>The open streams, by id.</summary>
    internal IReadOnlyList<LocalStream> Streams => _open.All;

    public async ValueTask<IStream> OpenAsync(StreamId id, StreamEpoch epoch, IStreamOwner owner, CancellationToken token)
    {
        _open.ThrowIfNotOpenable(id, epoch);
        var opened = await _opener.OpenAsync(id, epoch, token);
        var stream = new LocalStream(id, epoch, owner, opened, _context, this);
        _open.Add(stream, _unserved);
        return stream;
    }

    public IAsyncEnumerable<StreamRead> ReadCommittedAsync(StreamId id, long offset, CancellationToken token) =>
        new CommittedReader(Components.Registry, Cache).ReadAsync(id, offset, token);

    public ValueTask<IReadOnlyList<StreamRecord>?> ReadWalAsync(WalExtent extent, StreamId id, long offset, CancellationToken token) =>
        _walObjects.ReadAsync(extent, id, offset, token);

    public ICommittedStream FindCommitted(StreamId id) => new CommittedStream(_runtime, id, Options, Components.Registry, Cache);

    public async ValueTask UploadAsync(IReadOnlyCollection<UploadGoal> goals, CancellationToken token) =>
        await TogetherAsync(goals, goal => goal.Stream.UploadAsync(goal.EndOffset, token));

    public async ValueTask CloseAsync(IReadOnlyCollection<IStream> streams, CancellationToken token) =>
        await TogetherAsync(streams, stream => UnlessDeletedAsync(stream.CloseAsync(token)));

    public async ValueTask HandOverAsync(IReadOnlyCollection<IStream> streams, CancellationToken token) =>
        await TogetherAsync(streams, stream => UnlessDeletedAsync(stream.HandOverAsync(token)));

    public async ValueTask CloseAsync(CancellationToken token)
    {
        _open.Close();
        await CloseAsync(Streams, token);
        await _uploader.SettledAsync().OrCancelled(token);
        await _unserved.CloseAllAsync(token);
    }

    public async ValueTask CloseUnservedAsync(IReadOnlyCollection<StreamClose> ranges, CancellationToken token)
    {
        // Else one might come to serve behind the question whether it has.
        Invariant.Check(_open.HasEnded);
        var served = _open.ServedOf(ranges);
        await Task.WhenAll(ranges.Where(range => !served.Contains(range)).Select(range => _context.Registry.CloseAsync(range, token)));
        if (served.Count > 0)
        {
            var first = served.First();
            throw new StreamException(
                StreamError.Incomplete,
                $"Stream {first.Stream} is open on this node, or was lost to it, at epoch {first.Epoch}: the WAL may have records of it that no object has");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        _stopping.Cancel();
        if (_ownCache is { } cache)
        {
            await cache.DisposeAsync();
        }

        await _uploads;
        await _uploader.SettledAsync();
        LoseAll(new StreamException(StreamError.Closed, "The stream store has stopped"));
        await Planner.DisposeAsync();
        _smallRecords.Dispose();
        _walObjects.Dispose();
        Metrics.Dispose();
        _stopping.Dispose();
    }

    void IStreamHost.OnClosed(StreamCore stream)
    {
        Tail.Forget(stream.Tail);
        _open.RemoveClosed(stream);
    }

    void IStreamHost.OnLost(StreamCore stream, StreamException reason)
    {
        if (reason.Error == StreamError.Unknown)
        {
            // Somebody wanted it gone.
            StreamsMessages.StreamDeleted(_logger, stream.Id);
        }
        else if (reason.Error != StreamError.Closed)
        {
            StreamsMessages.StreamLost(_logger, stream.Id, reason.Error, reason.Message);
        }

        Tail.Forget(stream.Tail);
        var isPinning = _lost.Pin(stream);
        _open.RemoveLost(stream);
        if (_open.HasEnded)
        {
            return;
        }

        // Lost alone: the others go on, and need the space.
        if (isPinning)
        {
            Spawn("stream-settle", token => SettleAsync(stream, token));
        }
        else
        {
            _settled.Add(stream);
        }
    }

    /// <summary>Nothing is appended, uploaded or trimmed from now on.</summary>
    private void LoseAll(StreamException reason)
    {
        _open.End(reason);
        Budget.Close(reason);
        foreach (var stream in Streams)
        {
            stream.Lose(reason);
        }

        _over.TrySetResult(reason);
    }

    /// <summary>Does something with several streams at once, so that they share their uploads.</summary>
    private async Task TogetherAsync<T>(IReadOnlyCollection<T> streams, Func<T, ValueTask> action)
    {
        List<Task> tasks;
        using (Planner.Gather())
        {
            tasks = [.. streams.Select(async stream => await action(stream))];
        }

        await Task.WhenAll(tasks);
    }

    private static async ValueTask UnlessDeletedAsync(ValueTask closing)
    {
        try
        {
            await closing;
        }
        catch (StreamException deleted) when (deleted.Error == StreamError.Unknown)
        {
            // Deleted meanwhile: nothing is left to close, and the others' closing is no worse for it.
        }
    }

    private async Task SettleAsync(StreamCore stream, CancellationToken token)
    {
        if (await _lost.SettleAsync(stream, token))
        {
            _settled.Add(stream);
        }
    }

    private async Task WatchAsync(IWriteAheadLog wal, CancellationToken token)
    {
        var reason = await wal.Lost.OrCancelled(token);
        StreamsMessages.AllLost(_logger, reason.Error, reason.Message);
        LoseAll(reason);
    }

    private void OnPressure()
    {
        Tail.Shrink();
        Planner.Wake();
    }

    /// <summary>Starts something that ends with the store.</summary>
    private void Spawn(string name, Func<CancellationToken, Task> work)
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
}
