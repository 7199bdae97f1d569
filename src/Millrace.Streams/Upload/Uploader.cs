using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Upload;

/// <summary>
/// Moves records from the WAL into objects: decides when an upload begins, cuts it, and lets several be under way while their commits
/// keep their order.
/// </summary>
/// <remarks>
/// An upload begins when what is not yet cut holds <see cref="StreamsOptions.UploadBytes"/>, when the oldest of it is
/// <see cref="StreamsOptions.UploadInterval"/> old, when somebody asks (a stream closes or is trimmed), and, if none is under way, when
/// appends wait for memory or the WAL is half full. One loop cuts; each upload then runs by itself.
/// </remarks>
internal sealed class Uploader
{
    /// <summary>How often one that waits for records to become durable looks whether these wait for an upload, the WAL being full.</summary>
    public static readonly TimeSpan FullWalPause = TimeSpan.FromMilliseconds(50);

    /// <summary>How long an upload waits for the newest records of a stream to become durable: what is ready does not wait for ever.</summary>
    public static readonly TimeSpan ConfirmPatience = TimeSpan.FromSeconds(1);

    // What one upload takes at most: more comes when producers have waited, or the store was away, and goes in several.
    private const int UploadsWorth = 2;
    private const int MostRecords = 256 << 10;
    private const double WalIsHalfFull = 0.5;

    // Asking the WAL takes its lock, so only every 64th append asks: a few MiB at the very most, of hundreds.
    private const int AppendsBetweenLooks = 64;
    private readonly NodeRuntime _runtime;
    private readonly StreamsOptions _options;
    private readonly StreamsComponents _components;
    private readonly StreamStore _store;
    private readonly ObjectUploader _objects;
    private readonly Lock _lock = new();
    private readonly UploadSignal _signal = new();
    private readonly AsyncGate _slots;
    private readonly ITimer _timer;
    private long _uncut;
    private long _uncutSince;
    private int _appends;
    private int _requested;
    private int _underWay;
    private Task _lastUpload = Task.CompletedTask;

    // Of the loop alone: where the next upload begins, so that busy streams do not keep the others out.
    private StreamId? _firstStream;

    public Uploader(NodeRuntime runtime, StreamsOptions options, StreamsComponents components, StreamStore store)
    {
        (_runtime, _options, _components, _store) = (runtime, options, components, store);
        _objects = new ObjectUploader(
            runtime, options, new UploadTarget(components.Node, components.Storage, components.Registry, components.Buffers), store.Logger, store.Budget,
            store.Metrics.UploadFailures);
        _slots = new AsyncGate(options.UploadsAtOnce);
        _timer = runtime.Time.CreateTimer(static signal => ((UploadSignal)signal!).Set(), _signal, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Ends when the newest upload has, and with it all before: committed, and the WAL trimmed.</summary>
    public Task LastUpload
    {
        get
        {
            lock (_lock)
            {
                return _lastUpload;
            }
        }
    }

    /// <summary>Records have come to hold memory (0 if it is memory that others hold already).</summary>
    public void OnAppended(int held)
    {
        // Records count at least one, so that none is ever overlooked.
        var added = Math.Max(1, held);
        var uncut = Interlocked.Add(ref _uncut, added);
        if (uncut == added)
        {
            Interlocked.Exchange(ref _uncutSince, _runtime.Time.GetTimestamp());
            _signal.Set();
        }
        else if ((uncut >= _options.UploadBytes && uncut - added < _options.UploadBytes)
            || (Interlocked.Increment(ref _appends) % AppendsBetweenLooks == 0 && _components.Wal.Fullness > WalIsHalfFull))
        {
            _signal.Set();
        }
    }

    public void Request()
    {
        Interlocked.Exchange(ref _requested, 1);
        _signal.Set();
    }

    /// <summary>Something that decides about uploads has changed.</summary>
    public void Wake() => _signal.Set();

    public async Task RunAsync(CancellationToken token)
    {
        try
        {
            while (true)
            {
                await _signal.WaitAsync().OrCancelled(token);
                while (IsDue())
                {
                    await _slots.EnterAsync(token);
                    await BeginAsync(token);
                }
            }
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The store stops; uploads under way see the same token.
        }
        finally
        {
            await _timer.DisposeAsync();
            await LastUpload;
        }
    }

    private bool IsDue()
    {
        if (Volatile.Read(ref _requested) == 1)
        {
            return true;
        }

        var uncut = Interlocked.Read(ref _uncut);
        if (uncut == 0)
        {
            return false;
        }

        if (uncut >= _options.UploadBytes)
        {
            return true;
        }

        if (Volatile.Read(ref _underWay) == 0 && (_store.Budget.Shortage > 0 || _components.Wal.Fullness > WalIsHalfFull))
        {
            return true;
        }

        var left = _options.UploadInterval - _runtime.Time.GetElapsedTime(Interlocked.Read(ref _uncutSince));
        if (left <= TimeSpan.Zero)
        {
            return true;
        }

        _timer.Change(left, Timeout.InfiniteTimeSpan);
        return false;
    }

    private async Task BeginAsync(CancellationToken token)
    {
        var cuts = new List<StreamCut>();
        var started = _runtime.Time.GetTimestamp();
        try
        {
            // Both before the first cut: what comes later is met by this round or asks for the next one.
            Interlocked.Exchange(ref _requested, 0);
            Interlocked.Exchange(ref _uncut, 0);
            await CutAsync(cuts, token);
        }
        catch (OutOfMemoryException failure) when (cuts.Count == 0)
        {
            // Nothing was cut. There may be memory when others are done.
            _slots.Exit();
            Log.Retrying(_store.Logger, "Cutting an upload", _options.RetryLimit, failure.Message);
            Request();
            await Task.Delay(_options.RetryLimit, _runtime.Time, token);
            return;
        }
        catch
        {
            cuts.ForEach(cut => cut.Release());
            _slots.Exit();
            throw;
        }

        if (cuts.Count == 0)
        {
            _slots.Exit();
            if (_components.Wal.Fullness >= 1)
            {
                // What fills it is being written, or uploaded and not trimmed yet.
                await Task.Delay(FullWalPause, _runtime.Time, token);
            }

            return;
        }

        Interlocked.Increment(ref _underWay);
        // Under the lock, so that nobody who sees an effect of this upload still gets the one before it as the last.
        lock (_lock)
        {
            var turn = _lastUpload;
            _lastUpload = _runtime.Spawn("stream-upload", _ => UploadAsync(cuts, turn, started, token));
        }
    }

    /// <summary>Cuts all streams: all wait for their newest records together, then each gives what fits.</summary>
    private async Task CutAsync(List<StreamCut> cuts, CancellationToken token)
    {
        var streams = _store.Streams;
        var states = await Task.WhenAll(streams.Select(stream => CaptureAsync(stream, token)));
        var allowance = new UploadAllowance(UploadsWorth * _options.UploadBytes, MostRecords);
        var begin = 0;
        while (begin < streams.Count && streams[begin].Id.CompareTo(_firstStream ?? default) < 0)
        {
            begin++;
        }

        cuts.Capacity = streams.Count;
        _firstStream = null;
        for (var i = 0; i < streams.Count; i++)
        {
            var place = (begin + i) % streams.Count;
            if (states[place] is { } state && TryCut(streams[place], state, allowance) is { } cut)
            {
                cuts.Add(cut);
            }

            if (allowance.IsExhausted)
            {
                _firstStream ??= streams[place].Id;
            }
        }

        // Objects are laid out in this order.
        cuts.Sort(static (left, right) => left.Stream.Id.CompareTo(right.Stream.Id));
        if (allowance.IsExhausted)
        {
            Request();
        }
    }

    private async Task<OwnerState?> CaptureAsync(Stream stream, CancellationToken token)
    {
        try
        {
            return await stream.CaptureAsync(token);
        }
        catch (Exception failure) when (failure is not (InvariantViolationException or OperationCanceledException))
        {
            // One owner's trouble is not the others'.
            Log.CaptureFailed(_store.Logger, failure, stream.Id);
            OnAppended(held: 0);
            return null;
        }
    }

    private StreamCut? TryCut(Stream stream, OwnerState state, UploadAllowance allowance)
    {
        try
        {
            return stream.Cut(state, allowance);
        }
        catch (OutOfMemoryException failure)
        {
            // Nothing was cut.
            Log.CaptureFailed(_store.Logger, failure, stream.Id);
            OnAppended(held: 0);
            return null;
        }
    }

    private async Task UploadAsync(List<StreamCut> cuts, Task turn, long started, CancellationToken token)
    {
        try
        {
            var byStream = cuts.ToDictionary(cut => cut.Range.Stream);
            var outcomes = await _objects.UploadAsync([.. cuts.Select(cut => cut.Range)], walId: null, turn, token);
            foreach (var outcome in outcomes)
            {
                await ApplyAsync(byStream[outcome.Range.Stream], outcome, token);
            }

            Measure(outcomes, started);
            _store.Tail.Shrink();
            await _store.WalTrim.TrimAsync(cuts.Max(cut => cut.LastPosition), token);
        }
        catch (StreamException failure)
        {
            _store.LoseAll(failure);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The store stops. What was not committed is in the WAL.
        }
        catch (Exception failure) when (failure is not InvariantViolationException)
        {
            // Nobody repeats it, so its streams cannot go on; what is not committed is in the WAL.
            cuts.ForEach(cut => cut.Stream.LoseFor(failure));
        }
        finally
        {
            cuts.ForEach(cut => cut.Release());
            // Even then the next one comes after us.
            await turn;
            Interlocked.Decrement(ref _underWay);
            _slots.Exit();
            _signal.Set();
        }
    }

    private async Task ApplyAsync(StreamCut cut, UploadOutcome outcome, CancellationToken token)
    {
        var stream = cut.Stream;
        if (outcome.Failure is { } failure)
        {
            stream.Lose(new StreamException(
                StreamError.Corrupt,
                $"What stream {stream.Id} has from offset {outcome.Range.StartOffset} on cannot be uploaded, and stays in the WAL: {failure.Message}",
                failure));
            return;
        }

        switch (outcome.Verdict.Outcome)
        {
            case RangeOutcome.Accepted:
                _store.Indexes.Add(outcome.Index!);
                stream.OnCommitted(outcome.Range, outcome.Range.StartOffset);
                break;
            case RangeOutcome.Cut or RangeOutcome.Void:
                await _store.ReconcileAsync(cut, token);
                break;
            case RangeOutcome.Gap:
                stream.Lose(new StreamException(
                    StreamError.Corrupt,
                    $"The registry misses records of stream {stream.Id} before offset {outcome.Range.StartOffset}; what follows stays in the WAL"));
                break;
        }
    }

    private void Measure(List<UploadOutcome> outcomes, long started)
    {
        var objects = outcomes.Select(outcome => outcome.Index).OfType<DataObjectIndex>().Distinct().ToList();
        var bytes = objects.Sum(index => index.ObjectSize);
        var elapsed = _runtime.Time.GetElapsedTime(started);
        _store.Metrics.BytesUploaded.Add(bytes);
        _store.Metrics.ObjectsCommitted.Add(objects.Count);
        _store.Metrics.UploadSeconds.Record(elapsed.TotalSeconds);
        Log.Uploaded(_store.Logger, bytes, outcomes.Count, objects.Count, elapsed);
    }
}
