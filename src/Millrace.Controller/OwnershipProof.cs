using Millrace.Controller.Log;
using Millrace.Runtime;

namespace Millrace.Controller;

/// <summary>
/// What a controller knows of its ownership of the metadata log: each append proves it, and where there is nothing to append, a look at the log's next place
/// does. Leases rest on it.
/// </summary>
/// <remarks>
/// A look goes on beside requests that change nothing, however many there are, where nobody doubts that the log is this controller's. Threading: one loop;
/// <see cref="ProvenAt"/> and <see cref="Stalled"/> are read by any thread.
/// </remarks>
/// <param name="runtime">Of the controller's term.</param>
/// <param name="log">The log, owned.</param>
/// <param name="options">How often to look.</param>
/// <param name="ownedSince">When the takeover began: a timestamp.</param>
internal sealed class OwnershipProof(NodeRuntime runtime, MetadataLog log, ClusterControllerOptions options, long ownedSince)
{
    private long _provenAt = ownedSince;
    private long _lookedAt = ownedSince;

    // When the look or append that is under way was begun: a timestamp; zero if none is.
    private long _askedAt;
    private CancellationTokenSource? _givingUp;
    private Task<bool> _looking = Task.FromResult(false);

    /// <summary>The log is known to have been this controller's then: when the newest append or look that told so began. A timestamp of the runtime.</summary>
    public long ProvenAt => Volatile.Read(ref _provenAt);

    /// <summary>How long the log's store has owed an answer to the look or append that is under way; zero if none is.</summary>
    public TimeSpan Stalled => Volatile.Read(ref _askedAt) is var at and not 0 ? runtime.Time.GetElapsedTime(at) : TimeSpan.Zero;

    /// <summary>Completes when the look that is under way has; at once if none is.</summary>
    public Task Looked => _looking;

    /// <summary>Whether a look is under way, or has ended and was not taken in.</summary>
    public bool IsLooking => _givingUp is not null;

    /// <summary>How long until a look is due.</summary>
    /// <param name="rarely">Nothing lets anybody doubt that the log is still this controller's.</param>
    public TimeSpan DueIn(bool rarely)
    {
        var left = (rarely ? options.CalmOwnershipInterval : options.OwnershipInterval) - runtime.Time.GetElapsedTime(_lookedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>Begins a look.</summary>
    public void Look(CancellationToken stopping)
    {
        Ask();
        _givingUp = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _looking = log.ConfirmAsync(_givingUp.Token);
    }

    /// <summary>Takes in what a look has told that has ended, or gives it up: an append puts an entry where it looks.</summary>
    /// <exception cref="ObjectStorage.ObjectLogs.ObjectLogException">Fenced, Closed.</exception>
    public async ValueTask EndLookAsync()
    {
        if (_givingUp is not { } givingUp)
        {
            return;
        }

        _givingUp = null;
        givingUp.Cancel();
        try
        {
            if (await _looking)
            {
                Volatile.Write(ref _provenAt, _lookedAt);
            }
        }
        catch (OperationCanceledException) when (givingUp.IsCancellationRequested)
        {
            // The append proves as much.
        }
        finally
        {
            givingUp.Dispose();
            _looking = Task.FromResult(false);
            Volatile.Write(ref _askedAt, 0);
        }
    }

    /// <summary>Looks until it is known that the log was this controller's when this was called, or later.</summary>
    /// <exception cref="ObjectStorage.ObjectLogs.ObjectLogException">Fenced, Closed.</exception>
    public async ValueTask ProveAsync(CancellationToken stopping)
    {
        await EndLookAsync();
        var since = runtime.Time.GetTimestamp();
        while (true)
        {
            Look(stopping);
            await Waiting.Either(_looking, _looking);
            await EndLookAsync();
            if (ProvenAt >= since)
            {
                return;
            }

            // The store did not say.
            await Task.Delay(options.OwnershipInterval, runtime.Time, stopping);
        }
    }

    /// <summary>An append begins, and no look is under way.</summary>
    public void Appends() => Ask();

    /// <summary>It has gone in, which says that the log was this owner's when it began.</summary>
    public void Appended()
    {
        Volatile.Write(ref _provenAt, _lookedAt);
        Volatile.Write(ref _askedAt, 0);
    }

    private void Ask()
    {
        _lookedAt = runtime.Time.GetTimestamp();
        Volatile.Write(ref _askedAt, _lookedAt);
    }
}
