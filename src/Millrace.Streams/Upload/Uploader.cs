using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.Streams.Upload;

/// <summary>
/// Moves records from the WAL into objects: begins uploads when they are due, of the streams that are to go together, and lets several be under way.
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
    private readonly UploadRunner _runner;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly List<UploadUnderWay> _underWay = [];
    private long _lastNumber;

    /// <param name="runtime">Time, and where uploads run.</param>
    /// <param name="context">Sizes, the WAL, and who asks for what.</param>
    /// <param name="host">Whose streams these are.</param>
    /// <param name="runner">Does the uploads.</param>
    /// <param name="logger">Hears of what fails.</param>
    public Uploader(NodeRuntime runtime, UploadContext context, IUploadHost host, UploadRunner runner, ILogger logger)
    {
        (_runtime, _context, _host, _runner, _logger) = (runtime, context, host, runner, logger);
        _cutter = new UploadCutter(context, logger);
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
        UnderWay < _context.Options.UploadsAtOnce + (before is { HasEnded: false } ? 0 : 1);

    /// <summary>Begins what there is room for; the rest is due again when an upload has ended.</summary>
    private async Task BeginAsync(UploadOrder order, CancellationToken token)
    {
        List<IGrouping<UploadUnderWay?, StreamUploads>> groups;
        try
        {
            groups = (order.Streams ?? _host.Streams)
                .Where(stream => stream.Capture.IsNeeded)
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
        else if (_context.Wal.Fullness >= 1)
        {
            // What fills it is being written, or uploaded and not trimmed yet.
            await Task.Delay(StateCapture.FullWalPause, _runtime.Time, token);
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
            upload.Ended = _runtime.Spawn("stream-upload", _ => RunAsync(upload, cuts, before?.Ended ?? Task.CompletedTask, started, token));
        }
    }

    private async Task RunAsync(UploadUnderWay upload, List<StreamCut> cuts, Task before, long started, CancellationToken token)
    {
        try
        {
            await _runner.RunAsync(cuts, before, started, token);
        }
        finally
        {
            lock (_lock)
            {
                _underWay.Remove(upload);
            }

            upload.End();
            _context.Planner.OnUploadEnded();
        }
    }
}
