using Microsoft.Extensions.Logging;
using Millrace.Controller.Loads;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Controller.Objects;
using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Streams.Registry;

namespace Millrace.Controller;

/// <summary>
/// The active controller of a cluster: the owner of the metadata log. One loop takes all requests that wait, decides them on
/// the newest state, writes one entry, publishes the image and answers; so nothing is answered that is not committed.
/// </summary>
/// <remarks>
/// Nodes ask it by <see cref="Endpoint.ControllerEndpoint"/>. Threading: any thread. A caller's token ends its wait, and takes the request back while nobody
/// has decided it; not the deed. When the log is lost to another controller every request ends with <see cref="ControllerError.ControllerLost"/>, which
/// says nothing of its sender, and the runtime of its term fails: what it goes on with cannot be committed here.
/// </remarks>
public sealed class ClusterController : IAsyncDisposable
{
    // Entries stay small enough to be read and written in one go; a bigger request than this is still one entry.
    private const int MaxRecordsPerEntry = 5_000;

    private readonly NodeRuntime _runtime;
    private readonly MetadataLog _log;
    private readonly MetadataFeed _feed;
    private readonly ControllerQueue _requests = new();
    private readonly ILogger _logger;
    private readonly ObjectCollector _collector;
    private readonly ClusterControllerOptions _options;
    private readonly OwnershipProof _ownership;
    private Task _loop = Task.CompletedTask;
    private readonly CancellationTokenSource _closing = new();

    private ClusterController(
        NodeRuntime runtime, MetadataLog log, MetadataFeed feed, IObjectStorage storage, ClusterControllerOptions options, long ownedSince)
    {
        _runtime = runtime;
        _log = log;
        _feed = feed;
        _logger = runtime.Loggers.CreateLogger<ClusterController>();
        _collector = new ObjectCollector(runtime, storage, this, options);
        _options = options;
        _ownership = new OwnershipProof(runtime, log, options, ownedSince);
        Loads = new LoadTable(runtime.Time, feed);
    }

    /// <summary>What brokers in this process learn of the cluster.</summary>
    public IMetadataFeed Metadata => _feed;

    /// <summary>The newest entries of the log, for those who follow it.</summary>
    public RecentEntries Recent => _log.Recent;

    /// <summary>Its term of the log.</summary>
    public long Term => _log.Term;

    /// <inheritdoc cref="OwnershipProof.Stalled"/>
    public TimeSpan Stalled => _ownership.Stalled;

    /// <inheritdoc cref="OwnershipProof.ProvenAt"/>
    public long ProvenAt => _ownership.ProvenAt;

    /// <summary>Whether it looks rarely: set while nothing lets whoever hears the nodes doubt that the log is still this controller's.</summary>
    public bool LooksRarely { get; set; }

    /// <summary>
    /// Whether nobody can have deposed it by now, as whoever hears the nodes knows. While that is not so, it looks at the log before it answers by what it
    /// has: another may have gone on from there.
    /// </summary>
    public Func<bool> IsUndoubted { get; set; } = static () => false;

    /// <summary>What the nodes have to do, as far as they have told this controller.</summary>
    public LoadTable Loads { get; }

    internal ClusterState State => _log.State;

    /// <summary>The log is lost to another owner, or let go: nothing is decided any more.</summary>
    public bool HasEnded => _requests.IsClosed;

    /// <summary>What ended it; null while it has not ended, and where nothing did but its owner.</summary>
    public Exception? EndedBy { get; private set; }

    /// <summary>Whose term it is: this controller's, while it has not ended.</summary>
    internal ControllerSeal? Owner => _log.Owner;

    /// <summary>Takes the metadata log over and begins to serve; forms the cluster if there is none yet.</summary>
    /// <param name="runtime">Of its term.</param>
    /// <param name="log">Opened, and the controller's from now on.</param>
    /// <param name="feed">The node's, which this publishes from now on: nobody else may.</param>
    /// <param name="storage">Where the log and the data objects lie.</param>
    /// <param name="seal">Names this controller to others.</param>
    /// <param name="options">What operators tune.</param>
    /// <param name="token">Ends the attempt.</param>
    /// <returns>Null if somebody else was faster: <see cref="MetadataLog.Owner"/> names it, and the log stays the caller's.</returns>
    public static async ValueTask<ClusterController?> TryStartAsync(
        NodeRuntime runtime, MetadataLog log, MetadataFeed feed, IObjectStorage storage, ControllerSeal seal, ClusterControllerOptions options,
        CancellationToken token)
    {
        var began = runtime.Time.GetTimestamp();
        if (!await log.TryTakeOverAsync(seal, token))
        {
            return null;
        }

        var controller = new ClusterController(runtime, log, feed, storage, options, began);
        if (controller.State.Cluster.Version > feed.Image.Version)
        {
            feed.Publish(controller.State.Cluster);
        }

        controller._loop = runtime.Spawn("controller", controller.RunAsync);
        if (controller.State.Cluster.ClusterUuid == Guid.Empty)
        {
            await controller.SubmitAsync(entry => Form(entry, runtime.NewId()), token);
            ControllerMessages.ClusterFormed(controller._logger, controller.State.Cluster.ClusterId);
        }
        else
        {
            await controller.SubmitAsync(entry => NodeOperations.NameController(entry, seal), token);
        }

        controller._collector.Start();
        return controller;
    }

    /// <summary>Stops serving: what waits is refused, and the log is let go.</summary>
    public async ValueTask DisposeAsync()
    {
        await _collector.DisposeAsync();
        _closing.Cancel();
        _requests.Close();

        // The log first: an append that a dead store keeps waiting would keep the loop.
        await _log.DisposeAsync();
        await _loop;
        _closing.Dispose();
    }

    /// <summary>Shuts an incarnation out for good, if it is live: others take over what it led.</summary>
    /// <exception cref="ControllerException">ControllerLost; Busy.</exception>
    public async ValueTask FenceAsync(NodeIncarnation node, CancellationToken token)
    {
        if ((await DecideAsync(entry => NodeOperations.Fence(entry, node), token)).Accepted() is { } plan)
        {
            ControllerMessages.NodeFenced(_logger, node.Node, node.Epoch, plan);
        }
    }

    /// <summary>Hands a request to the loop and waits for what becomes of it.</summary>
    /// <exception cref="ControllerException">ControllerLost; Busy.</exception>
    internal async ValueTask<ControllerOperation<T>> DecideAsync<T>(Func<PendingEntry, T> decide, CancellationToken token)
    {
        var operation = new ControllerOperation<T>(decide);
        var place = _requests.Add(operation) ?? throw Lost(null);
        if (token.IsCancellationRequested)
        {
            // Whoever leaves no time for an answer wants the deed all the same: it keeps its place.
            operation.Committed.TrySetCanceled(token);
            token.ThrowIfCancellationRequested();
        }

        using var registration = token.UnsafeRegister(
            _ =>
            {
                operation.Committed.TrySetCanceled(token);
                _requests.TakeBack(place);
            },
            null);
        await operation.Committed.Task;
        return operation;
    }

    /// <summary>Has something decided that the controller itself wants.</summary>
    internal async ValueTask SubmitAsync(Action<PendingEntry> decide, CancellationToken token)
    {
        var decided = await DecideAsync(
            entry =>
            {
                decide(entry);
                return true;
            },
            token);
        decided.Accepted();
    }

    private static void Form(PendingEntry entry, Guid id)
    {
        entry.Add(new ClusterRecord { ClusterId = id });
        entry.Add(new FeatureLevelRecord { Level = MetadataLog.HighestFeatureLevel });
    }

    private static ControllerException Lost(Exception? reason) =>
        new(ControllerError.ControllerLost, "This node does not own the metadata log any more: what it was asked for may or may not have been done", reason);

    private async Task RunAsync(CancellationToken stopping)
    {
        var batch = new List<ControllerOperation>();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping, _closing.Token);
        Exception? reason = null;
        try
        {
            var more = RequestsAsync(stopping);
            while (true)
            {
                await RequestsOrLookAsync(more, stopping);
                if (_ownership.IsLooking && _ownership.Looked.IsCompleted)
                {
                    await _ownership.EndLookAsync();
                }

                if (more.IsCompleted)
                {
                    if (!await more)
                    {
                        break;
                    }

                    await CommitAsync(batch, ending.Token);
                    batch.Clear();
                    more = RequestsAsync(stopping);
                }

                if (!_ownership.IsLooking && _ownership.DueIn(LooksRarely) == TimeSpan.Zero)
                {
                    _ownership.Look(stopping);
                }
            }
        }
        catch (Exception closed) when (_closing.IsCancellationRequested
            && closed is ObjectLogException { Error: ObjectLogError.Closed } or OperationCanceledException)
        {
            reason = closed;
        }
        catch (Exception failure)
        {
            reason = failure;
            throw;
        }
        finally
        {
            EndedBy = reason;
            _requests.Close();
            foreach (var operation in batch)
            {
                operation.Committed.TrySetException(Lost(reason));
            }

            while (_requests.TryTake() is { } operation)
            {
                operation.Committed.TrySetException(Lost(reason));
            }
        }
    }

    private Task<bool> RequestsAsync(CancellationToken stopping) => _requests.WaitAsync().OrCancelled(stopping);

    private async ValueTask RequestsOrLookAsync(Task requests, CancellationToken stopping)
    {
        if (_ownership.IsLooking)
        {
            await Waiting.Either(requests, _ownership.Looked);
            return;
        }

        // Also while looks are rare: whether they may still be so, is seen as soon.
        var left = LooksRarely ? _options.OwnershipInterval : _ownership.DueIn(rarely: false);
        if (!requests.IsCompleted && left > TimeSpan.Zero)
        {
            using var settled = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            // Delays are cut to whole milliseconds: without one more, the last of them would be spun away.
            await Waiting.Either(requests, Task.Delay(left + TimeSpan.FromMilliseconds(1), _runtime.Time, settled.Token));
            settled.Cancel();
        }
    }

    private async ValueTask CommitAsync(List<ControllerOperation> batch, CancellationToken ending)
    {
        var before = _log.State;
        var entry = new PendingEntry(before, _runtime.Time.GetUtcNow());
        while (entry.Records.Count < MaxRecordsPerEntry && _requests.TryTake() is { } operation)
        {
            batch.Add(operation);
            try
            {
                operation.Decide(entry);
            }
            catch (Exception refusal) when (refusal is not InvariantViolationException)
            {
                operation.Refusal = refusal;
            }
        }

        if (entry.Records.Count > 0)
        {
            await _ownership.EndLookAsync();
            _ownership.Appends();
            await _log.AppendAsync(entry.Records, entry.State);
            _ownership.Appended();
            if (State.Cluster.Version > before.Cluster.Version)
            {
                _feed.Publish(State.Cluster, entry.Touched);
            }
        }
        else if (!IsUndoubted())
        {
            await _ownership.ProveAsync(ending);
        }

        foreach (var operation in batch)
        {
            operation.Committed.TrySetResult(State.Cluster.Version);
        }
    }
}
