using Microsoft.Extensions.Logging;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;

namespace Millrace.Controller.Log;

/// <summary>Takes the snapshots of a log that is owned, in the background, one at a time, and cuts the log below them.</summary>
/// <remarks>Threading: one call at a time.</remarks>
/// <param name="runtime">Of the log.</param>
/// <param name="log">To be cut.</param>
/// <param name="snapshots">Where they lie.</param>
/// <param name="pace">Hears how large each is.</param>
internal sealed class SnapshotTaker(NodeRuntime runtime, ObjectLog log, SnapshotStore snapshots, SnapshotPace pace) : IAsyncDisposable
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<SnapshotTaker>();
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(runtime.Stopping);
    private Task _taking = Task.CompletedTask;

    /// <summary>None is being taken.</summary>
    public bool IsIdle => _taking.IsCompleted;

    /// <summary>Begins to take one; only while it is idle.</summary>
    public void Take(Snapshot snapshot)
    {
        pace.Restart();
        var stop = _stop.Token;
        _taking = runtime.Spawn("metadata-snapshot", _ => SaveAsync(snapshot, stop));
    }

    /// <summary>Gives up the one that is being taken.</summary>
    public void Stop() => _stop.Cancel();

    public async ValueTask DisposeAsync()
    {
        Stop();
        await _taking;
        _stop.Dispose();
    }

    /// <summary>Saves a state and cuts the log: the older of the two newest snapshots must still find its tail.</summary>
    private async Task SaveAsync(Snapshot snapshot, CancellationToken stop)
    {
        try
        {
            pace.Taken(await snapshots.SaveAsync(snapshot, stop));

            // Where later owners' snapshots stand above this one, this owner does not know the seals below them, and must leave the
            // cut to them: a seal that goes lets a deposed owner acknowledge.
            if (await snapshots.TrimAsync(stop) is { } boundary && boundary <= snapshot.Start.Next)
            {
                await log.TrimAsync(boundary, snapshot.Start, stop);
            }

            ControllerMessages.SnapshotTaken(_logger, snapshot.Start.Next, snapshot.State.Cluster.Version);
        }
        catch (ObjectStorageException failure)
        {
            // The log stays as long as it is until the next snapshot, and what was to be deleted goes with it.
            ControllerMessages.StorageFailed(_logger, "taking a snapshot of the metadata", failure.Message);
        }
        catch (Exception damage) when (damage is InvalidDataException or ObjectLogException)
        {
            // A snapshot that reads otherwise than it was written, or a key in the log that is none of it: nothing is trimmed, and nothing else is
            // the worse for it.
            ControllerMessages.SnapshotFailed(_logger, snapshot.Start.Next, damage.Message);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The next owner takes its own.
        }
    }
}
