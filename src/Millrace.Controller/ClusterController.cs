using Microsoft.Extensions.Logging;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Controller.Objects;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller;

/// <summary>
/// The active controller of a cluster: the owner of the metadata log. One loop takes all requests that wait, decides them on
/// the newest state, writes one entry, publishes the image and answers; so nothing is answered that is not committed.
/// </summary>
/// <remarks>
/// Threading: any thread. A caller's token ends its wait, and takes the request back while nobody has decided it; not the deed. Too many requests at once
/// are refused with <see cref="StreamError.StorageUnavailable"/>. When the log is lost to another controller every request
/// ends with <see cref="StreamError.Fenced"/> and the node stops: whatever it does after that cannot be committed.
/// </remarks>
public sealed partial class ClusterController : IAsyncDisposable
{
    // Entries stay small enough to be read and written in one go; a bigger request than this is still one entry.
    private const int MaxRecordsPerEntry = 5_000;

    private readonly NodeRuntime _runtime;
    private readonly MetadataLog _log;
    private readonly MetadataFeed _feed = new();
    private readonly ControllerQueue _requests = new();
    private readonly ILogger _logger;
    private readonly TopicCreation _topicCreation;
    private readonly TopicDeletion _topicDeletion;
    private readonly ConfigChanges _configChanges;
    private readonly ConfigReplacement _configReplacement;
    private readonly ObjectCollector _collector;
    private readonly TimeSpan _ownershipInterval;
    private long _confirmedAt;
    private Task _loop = Task.CompletedTask;
    private volatile bool _closing;

    private ClusterController(NodeRuntime runtime, MetadataLog log, IObjectStorage storage, ClusterControllerOptions options)
    {
        _runtime = runtime;
        _log = log;
        _logger = runtime.Loggers.CreateLogger<ClusterController>();

        // Defaults come from this node's settings and what is set for all; what is set for single nodes does not count here.
        var configs = new ConfigResolver(MetadataImage.AllBrokers, options.Settings);
        _topicCreation = new TopicCreation(configs, runtime.Random);
        _topicDeletion = new TopicDeletion(
            isEnabled: !bool.TryParse(configs.Broker(MetadataImage.Empty, BrokerConfigs.Find(BrokerConfigs.DeleteTopicEnable)!).Value, out var enabled) || enabled);
        _configChanges = new ConfigChanges(configs);
        _configReplacement = new ConfigReplacement(_configChanges);
        _collector = new ObjectCollector(runtime, storage, this, options);
        _ownershipInterval = options.OwnershipInterval;
        _confirmedAt = runtime.Time.GetTimestamp();
    }

    /// <summary>What brokers in this process learn of the cluster.</summary>
    public IMetadataFeed Metadata => _feed;

    internal ClusterState State => _log.State;

    /// <summary>How many requests wait for the loop.</summary>
    internal int RequestsWaiting => _requests.Count;

    /// <summary>Takes the metadata log over and begins to serve; forms the cluster if there is none yet.</summary>
    /// <param name="runtime">The node it runs on.</param>
    /// <param name="log">Opened, and the controller's from now on.</param>
    /// <param name="storage">Where the log and the data objects lie.</param>
    /// <param name="seal">Names this controller to others.</param>
    /// <param name="options">What operators tune.</param>
    /// <param name="token">Ends the attempt.</param>
    /// <returns>Null if somebody else was faster: <see cref="MetadataLog.Owner"/> names it, and the log stays the caller's.</returns>
    public static async ValueTask<ClusterController?> TryStartAsync(
        NodeRuntime runtime, MetadataLog log, IObjectStorage storage, ControllerSeal seal, ClusterControllerOptions options, CancellationToken token)
    {
        if (!await log.TryTakeOverAsync(seal, token))
        {
            return null;
        }

        var controller = new ClusterController(runtime, log, storage, options);
        if (controller.State.Cluster.Version > 0)
        {
            controller._feed.Publish(controller.State.Cluster);
        }

        controller._loop = runtime.Spawn("controller", controller.RunAsync);
        if (controller.State.Cluster.ClusterUuid == Guid.Empty)
        {
            await controller.SubmitAsync(entry => Form(entry, runtime.NewId()), token);
            ControllerLog.ClusterFormed(controller._logger, controller.State.Cluster.ClusterId);
        }

        controller._collector.Start();
        return controller;
    }

    /// <summary>
    /// Registers an incarnation, under the id of the former one where the cluster has just one node. The former one is fenced in the
    /// same entry.
    /// </summary>
    /// <exception cref="StreamException">Fenced: this very incarnation has been fenced since it registered.</exception>
    /// <exception cref="NodeIdException">The id that it asks for cannot be had.</exception>
    public async ValueTask<NodeIncarnation> RegisterAsync(NodeRegistration registration, CancellationToken token)
    {
        var node = await SubmitAsync(
            entry =>
            {
                var registered = NodeOperations.Register(entry, registration);
                if (entry.Cluster.Controller != registered.Node && registration.Incarnation == _log.Owner?.IncarnationId)
                {
                    entry.Add(new ControllerRecord { NodeId = registered.Node.Value });
                }

                return registered;
            },
            token);
        ControllerLog.NodeRegistered(_logger, node.Node, node.Epoch, string.Join(", ", registration.Endpoints));
        return node;
    }

    /// <summary>Shuts an incarnation out for good: it leads nothing any more, its commits are refused, its WALs await recovery.</summary>
    public async ValueTask FenceAsync(NodeIncarnation node, CancellationToken token)
    {
        await SubmitAsync(entry => NodeOperations.Fence(entry, node), token);
        ControllerLog.NodeFenced(_logger, node.Node, node.Epoch);
    }

    /// <summary>Makes a WAL known; only then may anything be written to it.</summary>
    /// <exception cref="StreamException">Fenced.</exception>
    public ValueTask RegisterWalAsync(NodeIncarnation node, WalDescriptor wal, CancellationToken token) =>
        SubmitAsync(entry => NodeOperations.RegisterWal(entry, node, wal), token);

    /// <summary>A clean stop: the incarnation has closed all its streams, and nothing will wait for its WALs.</summary>
    /// <exception cref="StreamException">Fenced; Incomplete: streams are still open.</exception>
    public ValueTask StopAsync(NodeIncarnation node, CancellationToken token) =>
        SubmitAsync(entry => NodeOperations.Stop(entry, node), token);

    /// <summary>
    /// The WALs of fenced incarnations that nobody has recovered yet, oldest first, and what waits for each. To be recovered one by
    /// one: take it over, upload, commit with its id, <see cref="IStreamRegistry.CompleteRecoveryAsync"/>.
    /// </summary>
    public ValueTask<IReadOnlyList<WaitingWal>> GetWaitingWalsAsync(CancellationToken token) =>
        SubmitAsync(static entry => NodeOperations.Waiting(entry.State), token);

    /// <summary>The WALs that nothing is needed of and that may still take space: to be given back, and then forgotten.</summary>
    public ValueTask<IReadOnlyList<WalDescriptor>> GetRetiredWalsAsync(CancellationToken token) =>
        SubmitAsync(static entry => NodeOperations.Retired(entry.State), token);

    /// <summary>The space of retired WALs has been given back. An incarnation that has left may say so of its own.</summary>
    /// <exception cref="StreamException">Fenced.</exception>
    public ValueTask ForgetWalsAsync(NodeIncarnation node, IReadOnlyCollection<Guid> walIds, CancellationToken token) =>
        SubmitAsync(entry => NodeOperations.ForgetWals(entry, node, walIds), token);

    /// <summary>
    /// Gives up what a lost WAL may hold of some streams, or (null) of all; then nothing waits for it any more. Acknowledged
    /// records may be lost by that: only an operator decides it.
    /// </summary>
    /// <returns>What was given up.</returns>
    /// <exception cref="StreamException">Incomplete: its incarnation is not fenced.</exception>
    public async ValueTask<IReadOnlyList<WaitingStream>> AcceptLossAsync(Guid walId, IReadOnlySet<StreamId>? streams, CancellationToken token)
    {
        var lost = await SubmitAsync(entry => NodeOperations.AcceptLoss(entry, walId, streams), token);
        foreach (var stream in lost)
        {
            ControllerLog.LossAccepted(_logger, walId, stream);
        }

        return lost;
    }

    /// <summary>
    /// Gives every partition without a leader to a live node at a higher epoch, except those whose stream waits for a WAL.
    /// </summary>
    /// <returns>How many were given.</returns>
    public ValueTask<int> AssignPartitionsAsync(NodeIncarnation requester, CancellationToken token) =>
        SubmitAsync(entry => PartitionAssignment.AssignAll(entry, requester), token);

    public ValueTask<CreateTopicsResponse> CreateTopicsAsync(CreateTopicsRequest request, CancellationToken token) =>
        SubmitAsync(entry => _topicCreation.Create(entry, request), token);

    public ValueTask<DeleteTopicsResponse> DeleteTopicsAsync(DeleteTopicsRequest request, CancellationToken token) =>
        SubmitAsync(entry => _topicDeletion.Delete(entry, request), token);

    public ValueTask<CreatePartitionsResponse> CreatePartitionsAsync(CreatePartitionsRequest request, CancellationToken token) =>
        SubmitAsync(entry => PartitionCreation.Create(entry, request), token);

    public ValueTask<IncrementalAlterConfigsResponse> IncrementalAlterConfigsAsync(IncrementalAlterConfigsRequest request, CancellationToken token) =>
        SubmitAsync(entry => _configChanges.Alter(entry, request), token);

    public ValueTask<AlterConfigsResponse> AlterConfigsAsync(AlterConfigsRequest request, CancellationToken token) =>
        SubmitAsync(entry => _configReplacement.Replace(entry, request), token);

    public ValueTask<AllocateProducerIdsResponse> AllocateProducerIdsAsync(AllocateProducerIdsRequest request, CancellationToken token) =>
        SubmitAsync(entry => ProducerIds.Allocate(entry, request), token);

    /// <summary>Stops serving: what waits is refused, and the log is let go.</summary>
    public async ValueTask DisposeAsync()
    {
        await _collector.DisposeAsync();
        _closing = true;
        _requests.Close();

        // The log first: an append that a dead store keeps waiting would keep the loop.
        await _log.DisposeAsync();
        await _loop;
    }

    /// <summary>Hands a request to the loop and waits for its answer.</summary>
    internal async ValueTask<T> SubmitAsync<T>(Func<PendingEntry, T> decide, CancellationToken token)
    {
        var operation = new DecidedOperation<T>(decide);
        var place = _requests.Add(operation) ?? throw Lost(null);
        if (token.IsCancellationRequested)
        {
            // Whoever leaves no time for an answer wants the deed all the same.
            operation.GiveUp(token);
            return await operation.Answered;
        }

        using var registration = token.UnsafeRegister(
            _ =>
            {
                operation.GiveUp(token);
                _requests.TakeBack(place);
            },
            null);
        return await operation.Answered;
    }

    internal async ValueTask SubmitAsync(Action<PendingEntry> decide, CancellationToken token) =>
        await SubmitAsync(
            entry =>
            {
                decide(entry);
                return true;
            },
            token);

    private static void Form(PendingEntry entry, Guid id)
    {
        entry.Add(new ClusterRecord { ClusterId = id });
        entry.Add(new FeatureLevelRecord { Level = MetadataLog.HighestFeatureLevel });
    }

    private static StreamException Lost(Exception? reason) =>
        new(StreamError.Fenced, "This node does not own the metadata log any more: what it asked for may or may not have been done", reason);

    private async Task RunAsync(CancellationToken stopping)
    {
        var batch = new List<ControllerOperation>();
        Exception? reason = null;
        try
        {
            var more = RequestsAsync(stopping);
            while (true)
            {
                await RequestsOrIntervalAsync(more, stopping);
                if (more.IsCompleted)
                {
                    if (!await more)
                    {
                        break;
                    }

                    await CommitAsync(batch);
                    batch.Clear();
                    more = RequestsAsync(stopping);
                }

                if (_runtime.Time.GetElapsedTime(_confirmedAt) >= _ownershipInterval)
                {
                    _confirmedAt = _runtime.Time.GetTimestamp();
                    await ConfirmAsync(more, stopping);
                }
            }
        }
        catch (ObjectLogException closed) when (_closing && closed.Error == ObjectLogError.Closed)
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
            _requests.Close();
            foreach (var operation in batch)
            {
                operation.Abandon(Lost(reason));
            }

            while (_requests.TryTake() is { } operation)
            {
                operation.Abandon(Lost(reason));
            }
        }
    }

    private Task<bool> RequestsAsync(CancellationToken stopping) => _requests.WaitAsync().OrCancelled(stopping);

    private async ValueTask RequestsOrIntervalAsync(Task requests, CancellationToken stopping)
    {
        var left = _ownershipInterval - _runtime.Time.GetElapsedTime(_confirmedAt);
        if (!requests.IsCompleted && left > TimeSpan.Zero)
        {
            using var settled = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            // Delays are cut to whole milliseconds: without one more, the last of them would be spun away.
            await Waiting.Either(requests, Task.Delay(left + TimeSpan.FromMilliseconds(1), _runtime.Time, settled.Token));
            settled.Cancel();
        }
    }

    // A store that does not answer keeps no request waiting that needs none: the look is given up, and comes again.
    private async ValueTask ConfirmAsync(Task requests, CancellationToken stopping)
    {
        using var look = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var looking = _log.ConfirmAsync(look.Token);
        await Waiting.Either(looking, requests);
        look.Cancel();
        try
        {
            await looking;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // A request came first.
        }
    }

    private async ValueTask CommitAsync(List<ControllerOperation> batch)
    {
        var before = _log.State;
        var entry = new PendingEntry(before, _runtime.Time.GetUtcNow());
        while (entry.Records.Count < MaxRecordsPerEntry && _requests.TryTake() is { } operation)
        {
            batch.Add(operation);
            operation.Decide(entry);
        }

        if (entry.Records.Count > 0)
        {
            var after = entry.State.EndEntry(before);
            // As of its beginning: that it went in says that the log was this owner's then.
            _confirmedAt = _runtime.Time.GetTimestamp();
            await _log.AppendAsync(entry.Records, after);
            if (after.Cluster.Version > before.Cluster.Version)
            {
                _feed.Publish(after.Cluster);
            }
        }

        foreach (var operation in batch)
        {
            operation.Answer();
        }
    }
}
