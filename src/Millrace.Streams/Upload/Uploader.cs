using Microsoft.Extensions.Logging;
using Millrace.Runtime;
using Millrace.Streams.Objects;
using Millrace.Streams.State;

namespace Millrace.Streams.Upload;

/// <summary>
/// Moves records from the WAL into objects: begins uploads when they are due, of the streams that are to go together, and lets several be under way.
/// Each has its objects made and committed, tells its streams what became of that, and has the WAL give up what it need not keep any more.
/// </summary>
/// <remarks>
/// A stream's uploads are committed in the order of their cuts. So streams whose last upload is under way go together in one that waits for that
/// one, and those that have to wait for nobody in another: what is slow, or fails, keeps nobody waiting but its own streams. One loop cuts; each
/// upload then runs by itself.
/// </remarks>
internal sealed class Uploader
{
    private readonly NodeRuntime _runtime;
    private readonly UploadContext _context;
    private readonly IUploadHost _host;
    private readonly UploadCutter _cutter;
    private readonly ObjectUploader _objects;
    private readonly RangeRefresh _refresh;
    private readonly WalTrim _trim;
    private readonly Action<StreamException> _loseAll;
    private readonly StreamsMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly List<UploadUnderWay> _underWay = [];
    private long _lastNumber;

    /// <param name="runtime">Time, and where uploads run.</param>
    /// <param name="context">Sizes, the WAL, and who asks for what.</param>
    /// <param name="host">Whose streams these are.</param>
    /// <param name="objects">Makes objects, and has them committed.</param>
    /// <param name="trim">Has what is committed leave the WALs.</param>
    /// <param name="loseAll">Called where this incarnation can write nothing any more.</param>
    /// <param name="metrics">Counts what was uploaded.</param>
    /// <param name="logger">Hears of it, and of what fails.</param>
    public Uploader(
        NodeRuntime runtime, UploadContext context, IUploadHost host, ObjectUploader objects, WalTrim trim, Action<StreamException> loseAll,
        StreamsMetrics metrics, ILogger logger)
    {
        (_runtime, _context, _host, _objects, _trim, _loseAll, _metrics, _logger) = (runtime, context, host, objects, trim, loseAll, metrics, logger);
        _cutter = new UploadCutter(context, logger);
        _refresh = new RangeRefresh(runtime, logger);
    }

    private int UnderWay
    {
        get
        {
            lock (_lock)
            {
                return _underWay.Count;
            }
        }
    }

    /// <summary>
    /// Ends when the store stops, which uploads under way hear too: see <see cref="SettledAsync"/>. What it cannot contain it says at once, however
    /// long those take.
    /// </summary>
    public async Task RunAsync(CancellationToken token)
    {
        try
        {
            while (true)
            {
                await _context.Planner.WaitAsync().OrCancelled(token);
                while (HasRoom(before: null) && _context.Planner.Take(isIdle: UnderWay == 0) is { } order)
                {
                    await BeginAsync(order, token);
                }
            }
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The store stops; uploads under way see the same token.
        }
    }

    /// <summary>Ends when every upload that is under way by now has ended: committed, and the WAL trimmed.</summary>
    public Task SettledAsync()
    {
        lock (_lock)
        {
            return Task.WhenAll(_underWay.Select(upload => upload.Ended));
        }
    }

    /// <summary>
    /// Whether an upload may begin that follows another one, or nobody. One place beyond the setting is for those that wait for nobody: the others
    /// cannot take them all.
    /// </summary>
    private bool HasRoom(UploadUnderWay? before) =>
        UnderWay < _context.Options.UploadsAtOnce + (before is { Settled.IsCompleted: false } ? 0 : 1);

    /// <summary>Begins what there is room for; the rest is due again when an upload has ended.</summary>
    private async Task BeginAsync(UploadOrder order, CancellationToken token)
    {
        List<IGrouping<UploadUnderWay?, StreamUploads>> groups;
        try
        {
            groups = (order.Streams ?? _host.Streams)
                .Where(stream => stream.IsNeeded)
                .GroupBy(stream => stream.Before)
                .OrderBy(group => group.Key?.Number ?? 0)
                .ToList();
        }
        catch (OutOfMemoryException failure)
        {
            // Nothing was cut. To ask for all takes no memory.
            await WaitForMemoryAsync(failure, token);
            _context.Planner.AskForAll();
            return;
        }

        var heldUp = new List<UploadUnderWay?>();
        foreach (var group in groups)
        {
            if (HasRoom(group.Key))
            {
                // First those that went without in the last uploads, lest busy streams keep others out.
                await BeginAsync([.. group.OrderBy(stream => stream.LastNumber).ThenBy(stream => stream.Core.Id)], group.Key, token);
            }
            else
            {
                _context.Planner.HoldUp(group);
                heldUp.Add(group.Key);
            }
        }

        if (heldUp.Exists(HasRoom))
        {
            // One has ended meanwhile, and did not know of them.
            _context.Planner.OnUploadEnded();
        }
    }

    private async Task BeginAsync(List<StreamUploads> streams, UploadUnderWay? before, CancellationToken token)
    {
        var cuts = new List<StreamCut>();
        var started = _runtime.Time.GetTimestamp();
        try
        {
            await _cutter.CutAsync(streams, cuts, token);
        }
        catch (OutOfMemoryException failure) when (cuts.Count == 0)
        {
            // Nothing was cut.
            await WaitForMemoryAsync(failure, token);
            streams.ForEach(_context.Planner.Ask);
            return;
        }
        catch
        {
            cuts.ForEach(cut => cut.Release());
            throw;
        }

        if (cuts.Count > 0)
        {
            Start(cuts, before, started, token);
        }
        else if (_context.Wals.Fullness >= 1)
        {
            // What fills it is being written, or uploaded and not trimmed yet.
            await Task.Delay(UploadCapture.FullWalPause, _runtime.Time, token);
        }
    }

    /// <summary>There may be memory when others are done.</summary>
    private async Task WaitForMemoryAsync(OutOfMemoryException failure, CancellationToken token)
    {
        StreamsMessages.Retrying(_logger, "Cutting an upload", _context.Options.RetryLimit, failure.Message);
        await Task.Delay(_context.Options.RetryLimit, _runtime.Time, token);
    }

    private void Start(List<StreamCut> cuts, UploadUnderWay? before, long started, CancellationToken token)
    {
        var upload = new UploadUnderWay(++_lastNumber);
        cuts.ForEach(cut => cut.Stream.OnTaken(upload));
        // Under the lock, so that nobody who sees an effect of this upload does not know of it.
        lock (_lock)
        {
            _underWay.Add(upload);
            upload.Ended = _runtime.Spawn("stream-upload", _ => RunAsync(upload, cuts, before?.Settled ?? Task.CompletedTask, started, token));
        }
    }

    private async Task RunAsync(UploadUnderWay upload, List<StreamCut> cuts, Task before, long started, CancellationToken token)
    {
        try
        {
            await UploadAsync(upload, cuts, before, started, token);
        }
        finally
        {
            lock (_lock)
            {
                _underWay.Remove(upload);
            }

            _context.Planner.OnUploadEnded();
        }
    }

    /// <summary>Ends when the upload has, and the one before it is settled. Fails for a broken invariant only.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="cuts">What is uploaded, in the order of streams. Released when this ends.</param>
    /// <param name="before">Ends when the upload before it, of the same streams, is settled.</param>
    /// <param name="started">When the cutting began.</param>
    /// <param name="token">The store stops.</param>
    private async Task UploadAsync(UploadUnderWay upload, List<StreamCut> cuts, Task before, long started, CancellationToken token)
    {
        List<UploadOutcome> outcomes = [];
        try
        {
            var byStream = cuts.ToDictionary(cut => cut.Range.Stream);
            outcomes = await _objects.UploadAsync([.. cuts.Select(cut => cut.Range)], walId: null, before, token);
            foreach (var outcome in outcomes)
            {
                var cut = byStream[outcome.Range.Stream];
                await cut.Stream.SettleAsync(outcome, cut.Range.EndOffset, token);
            }

            upload.Settle();
            Measure(outcomes, started);
            _context.Tail.Shrink();
            foreach (var ofWal in cuts.GroupBy(cut => cut.Stream.Core.Wal))
            {
                await _trim.TrimAsync(ofWal.Key, ofWal.Max(cut => cut.LastPosition), token);
            }
        }
        catch (StreamException failure)
        {
            _loseAll(failure);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The store stops. What was not committed is in the WAL.
        }
        catch (Exception failure) when (failure is not InvariantViolationException)
        {
            // Nobody repeats it, so its streams cannot go on; what is not committed is in the WAL.
            cuts.ForEach(cut => cut.Stream.Core.LoseFor(failure));
        }
        finally
        {
            cuts.ForEach(cut => cut.Release());
            // Even then the next one of these streams comes after all before.
            await before;
            upload.Settle();
        }

        _refresh.Begin(cuts, outcomes, token);
    }

    private void Measure(List<UploadOutcome> outcomes, long started)
    {
        var written = outcomes.Select(outcome => outcome.Index).OfType<DataObjectIndex>().Distinct().ToList();
        var bytes = written.Sum(index => index.ObjectSize);
        var elapsed = _runtime.Time.GetElapsedTime(started);
        _metrics.BytesUploaded.Add(bytes);
        _metrics.ObjectsCommitted.Add(written.Count);
        _metrics.UploadSeconds.Record(elapsed.TotalSeconds);
        StreamsMessages.Uploaded(_logger, bytes, outcomes.Count, written.Count, elapsed);
    }
}
