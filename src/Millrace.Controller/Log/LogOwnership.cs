using Millrace.Runtime;

namespace Millrace.Controller.Log;

/// <summary>
/// How far a controller knows that the metadata log is its own. It was, when an append or a look that told so began; whether it still is, is looked for while
/// nothing is appended.
/// </summary>
/// <remarks>Threading: the controller's loop; the properties by any thread.</remarks>
public sealed class LogOwnership
{
    private readonly NodeRuntime _runtime;
    private readonly MetadataLog _log;
    private readonly ClusterControllerOptions _options;
    private long _lookedAt;
    private long _provenAt;

    internal LogOwnership(NodeRuntime runtime, MetadataLog log, ClusterControllerOptions options, long ownedSince)
    {
        (_runtime, _log, _options) = (runtime, log, options);
        _lookedAt = _provenAt = ownedSince;
    }

    /// <summary>The log is known to have been this controller's then: when the newest append or look that told so began. A timestamp of the runtime.</summary>
    public long ProvenAt => Volatile.Read(ref _provenAt);

    /// <summary>Looks are far between: set while nothing lets whoever hears the nodes doubt that the log is still this controller's.</summary>
    public bool LooksRarely { get; set; }

    internal bool IsLookDue =>
        _runtime.Time.GetElapsedTime(_lookedAt) >= (LooksRarely ? _options.CalmOwnershipInterval : _options.OwnershipInterval);

    /// <summary>Waits for requests, and no longer than until a look may be due.</summary>
    internal async ValueTask WaitAsync(Task requests, CancellationToken stopping)
    {
        // Also while looks are rare: whether they may still be so, is seen as soon.
        var left = _options.OwnershipInterval - (LooksRarely ? TimeSpan.Zero : _runtime.Time.GetElapsedTime(_lookedAt));
        if (!requests.IsCompleted && left > TimeSpan.Zero)
        {
            using var settled = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            // Delays are cut to whole milliseconds: without one more, the last of them would be spun away.
            await Waiting.Either(requests, Task.Delay(left + TimeSpan.FromMilliseconds(1), _runtime.Time, settled.Token));
            settled.Cancel();
        }
    }

    /// <summary>Looks. A store that does not answer keeps no request waiting that needs none: the look is given up, and comes again.</summary>
    /// <exception cref="Millrace.ObjectStorage.ObjectLogs.ObjectLogException">Fenced, Closed: it is this controller's no more.</exception>
    internal async ValueTask LookAsync(Task requests, CancellationToken stopping)
    {
        _lookedAt = _runtime.Time.GetTimestamp();
        using var look = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var looking = _log.ConfirmAsync(look.Token);
        await Waiting.Either(looking, requests);
        look.Cancel();
        try
        {
            if (await looking)
            {
                Volatile.Write(ref _provenAt, _lookedAt);
            }
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // A request came first.
        }
    }

    /// <summary>Appends an entry. That it went in says that the log was this controller's when that began.</summary>
    internal async ValueTask AppendAsync(PendingEntry entry)
    {
        _lookedAt = _runtime.Time.GetTimestamp();
        await _log.AppendAsync(entry.Records, entry.State);
        Volatile.Write(ref _provenAt, _lookedAt);
    }
}
