using System.Runtime.ExceptionServices;
using Millrace.Broker;
using Millrace.Broker.Membership;
using Millrace.Controller;
using Millrace.Controller.Clients;
using Millrace.Controller.Endpoint;
using Millrace.Controller.Failover;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Server.Options;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Upload;

namespace Millrace.Server.Composition;

/// <summary>
/// The steps that make an incarnation, in the order that safety asks for: nobody is deposed who answers, nothing is served that is not
/// known to be complete, and the former incarnation is fenced before its WAL is read.
/// </summary>
/// <param name="node">The process' surroundings; the incarnation gets a part of its own.</param>
/// <param name="options">The settings.</param>
/// <param name="components">What it is made of.</param>
/// <param name="listeners">Where clients come: bound here if they are not yet.</param>
/// <param name="owner">Tells whether the cluster may be taken over.</param>
/// <param name="isReplacement">Another one of this process was before it: then whoever asks for it asks again where it fails of what may pass.</param>
internal sealed class IncarnationStart(
    NodeRuntime node, NodeOptions options, NodeComponents components, HostListeners listeners, FormerOwner owner, bool isReplacement)
{
    private readonly ILogger _logger = node.Loggers.CreateLogger<IncarnationStart>();

    // What was made so far: goes if a later step fails, and is the incarnation's when all is made.
    private readonly IncarnationParts _parts = new();

    /// <summary>Makes one that serves clients. To be called once.</summary>
    /// <exception cref="NodeStartException">None can start as things are; says what can be done.</exception>
    public async Task<Incarnation> RunAsync(CancellationToken token)
    {
        var life = _parts.Add(node.NewPart());
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, life.Stopping);
        try
        {
            return await MakeAsync(life, either.Token);
        }
        catch (Exception failure)
        {
            life.Stop();
            await PutDownAsync();

            // Asked last: a controller tells those who wait for it that it is lost before it says why.
            if (IsEcho(failure) && life.Failed.IsCompleted && !token.IsCancellationRequested)
            {
                // It was over before it had begun: what counts is why, and not that it was told so.
                ExceptionDispatchInfo.Throw(CauseOf(await life.Failed));
            }

            throw;
        }
    }

    private async Task<Incarnation> MakeAsync(NodeRuntime life, CancellationToken token)
    {
        var wals = components.Wals(life);
        await RemoveUnfinishedAsync(wals, token);
        var log = await OpenLogAsync(life, token);
        // Bound before the cluster is taken over, since that is where a start may well fail; and after the look at the former owner, since
        // it may have listened here.
        await listeners.BindAsync(token);
        var incarnation = life.NewId();
        var controller = await TakeOverAsync(life, log, incarnation, token);
        var channel = new ControllerChannel(
            components.Link(new ControllerEndpoint(life, controller, options.Controller)), controller.Metadata);
        var nodes = new NodeRegistry(channel);
        var self = await RegisterAsync(nodes, incarnation, token);
        var registry = new StreamRegistry(channel, self);
        ServerMessages.Registered(_logger, self.Node, self.Epoch, controller.Metadata.Image.ClusterId);

        // The former WALs before the new one: recovering needs the store alone, and what it frees may be all the room that a new one has. The
        // new one is known before it is made: a crash in between leaves a name without a file, and never a file without a name.
        var former = new FormerWals(life, nodes, self, wals.Own, wals.Former);
        await RecoverAsync(life, former, nodes, registry, controller.Metadata, self, token);
        await former.MakeRoomAsync(token);
        var descriptor = wals.Own.Describe(self.Node, self.Epoch);
        await nodes.RegisterWalAsync(self, descriptor, token);
        var wal = _parts.Add(await wals.Own.CreateAsync(descriptor, token));
        await nodes.AssignPartitionsAsync(self, token);

        var streams = _parts.Add(new StreamStore(
            life, options.Streams, new StreamsComponents(self, wal, components.Storage, registry, components.Buffers)));
        var identity = new BrokerIdentity(self.Node, self.Epoch, new ConfigResolver(self.Node, options.Settings.Values));
        var broker = _parts.Add(new KafkaBroker(
            life, identity, controller.Metadata, channel, streams, components.Buffers,
            options.Streams.NotUploadedBytes + options.Streams.BlockCacheBytes, options.Network));
        broker.Start();
        foreach (var listener in listeners.Bound)
        {
            broker.Serve(listener.Lend(), listener.Name);
        }

        _ = life.Spawn("former-wals", ending => former.GiveBackAsync(controller.Metadata, ending));
        return new Incarnation(life, options, _parts)
        {
            Self = self,
            Controller = controller,
            Nodes = nodes,
            Wal = wal,
            Streams = streams,
            Broker = broker,
        };
    }

    /// <summary>
    /// Reads the metadata log, if the bucket is ours to use and nobody else uses it. Each incarnation looks anew: a bucket that has lost its metadata
    /// since the last one is refused, and no new cluster is formed over the data of the old one.
    /// </summary>
    private async Task<MetadataLog> OpenLogAsync(NodeRuntime life, CancellationToken token)
    {
        var mark = new BucketMark(life, components.Storage, options.StoreWait);
        await mark.CheckAsync(token);
        var log = _parts.Add(await MetadataLog.OpenAsync(life, components.Storage, new MetadataLogOptions(), token));
        await owner.RefuseIfAliveAsync(log, components.Storage.Name, token);

        // Nothing has been written so far.
        await StorageProbe.CheckAsync(life, components.Storage, options.StoreWait, token);
        await mark.SetAsync(token);
        return log;
    }

    private async Task RemoveUnfinishedAsync(WalProviders wals, CancellationToken token)
    {
        try
        {
            await wals.Own.RemoveUnfinishedAsync(token);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            ServerMessages.UnfinishedNotRemoved(_logger, failure.Message);
        }
    }

    private async Task<ClusterController> TakeOverAsync(NodeRuntime life, MetadataLog log, Guid incarnation, CancellationToken token)
    {
        var endpoint = listeners.Endpoints[0];
        var seal = new ControllerSeal { IncarnationId = incarnation, Host = endpoint.Host, Port = endpoint.Port };
        // Also if it fails: the seal may be in the log, or may yet come to be.
        owner.AddOwn(incarnation);
        try
        {
            // The log is the controller's from here on.
            return _parts.Add(await ClusterController.TryStartAsync(life, log, components.Storage, seal, options.Controller, token)
                ?? throw Deposed($", at the same moment: {log.Owner?.Host}:{log.Owner?.Port}", null));
        }
        catch (ControllerException lost) when (lost.Error == ControllerError.ControllerLost)
        {
            throw Deposed("", lost);
        }
    }

    private async Task<NodeIncarnation> RegisterAsync(NodeRegistry nodes, Guid incarnation, CancellationToken token)
    {
        var registration = new NodeRegistration(incarnation, listeners.Endpoints, options.Rack, options.NodeId, ProductVersion.Program);
        try
        {
            return await nodes.RegisterAsync(registration, token);
        }
        catch (NodeIdException refusal)
        {
            throw new NodeStartException(refusal.Message, refusal);
        }
    }

    private async Task RecoverAsync(
        NodeRuntime life,
        FormerWals former,
        NodeRegistry nodes,
        StreamRegistry registry,
        IMetadataFeed metadata,
        NodeIncarnation self,
        CancellationToken token)
    {
        var waiting = await nodes.GetWaitingWalsAsync(token);
        var losses = new AcceptedLosses(life, nodes, registry, self, options.AcceptLoss);
        if (losses.FindUnknown(metadata.Image, waiting) is { } unknown)
        {
            throw new SettingsException(
                $"--accept-loss {unknown.Name}: no WAL, topic or TOPIC-PARTITION is called so (any more), and nothing was given up."
                + Suggestion.Question(unknown.Name, unknown.Known));
        }

        var target = new UploadTarget(self, components.Storage, registry, components.Buffers);
        var failover = new WalFailover(life, options.Streams, target);
        await former.RecoverAsync(waiting, failover, losses, triesAgain: isReplacement, token);
    }

    /// <summary>What is told is why it could not start, and not what that has led to.</summary>
    private async ValueTask PutDownAsync()
    {
        try
        {
            await _parts.DisposeAsync();
        }
        catch (Exception failure)
        {
            ServerMessages.NotPutDown(_logger, failure.Message);
        }
    }

    private static bool IsEcho(Exception failure) => failure is OperationCanceledException or StreamException { Error: StreamError.ControllerLost };

    private StreamException Deposed(string owner, Exception? cause) =>
        new(StreamError.Fenced, $"Another broker took the store {components.Storage.Name} over while this one started{owner}.", cause);

    private Exception CauseOf(Exception lost)
    {
        // What a background loop failed of is inside.
        var cause = lost is InvalidOperationException { InnerException: { } inner } ? inner : lost;
        return cause is ObjectLogException { Error: ObjectLogError.Fenced } ? Deposed("", cause) : cause;
    }
}
