using System.Runtime.ExceptionServices;
using Millrace.Broker;
using Millrace.Broker.Membership;
using Millrace.Cluster.Membership;
using Millrace.Controller.Clients;
using Millrace.Controller.Failover;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Server.Options;
using Millrace.Streams;
using Millrace.Streams.Cache;
using Millrace.Streams.Compaction;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;

namespace Millrace.Server.Composition;

/// <summary>
/// The steps that make an incarnation, in the order that safety asks for: nothing is served that is not known to be complete, and the former incarnation
/// is fenced before its WAL is read.
/// </summary>
/// <param name="node">The process' surroundings; the incarnation gets a part of its own.</param>
/// <param name="options">The settings.</param>
/// <param name="components">What it is made of.</param>
/// <param name="listeners">Where clients come.</param>
/// <param name="member">The process' place in its cluster.</param>
/// <param name="isReplacement">Another one of this process was before it: then whoever asks for it asks again where it fails of what may pass.</param>
internal sealed class IncarnationStart(
    NodeRuntime node, NodeOptions options, NodeComponents components, HostListeners listeners, ClusterMember member, bool isReplacement)
{
    // A recovery takes seconds. What waits longer waits for something else, and may do so for days.
    private static readonly TimeSpan RecoveryPatience = TimeSpan.FromMinutes(1);

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
            member.Registered = null;
            await PutDownAsync();

            // Asked last: what counts is why it was over, and not that what waited for it was given up.
            if (failure is OperationCanceledException && life.Failed.IsCompleted && !token.IsCancellationRequested)
            {
                ExceptionDispatchInfo.Throw(await life.Failed);
            }

            throw;
        }
    }

    private async Task<Incarnation> MakeAsync(NodeRuntime life, CancellationToken token)
    {
        if (isReplacement)
        {
            // Whoever cannot reach the store is given no partitions: it may have been fenced for just that.
            await new BucketMark(life, components.Storage, Timeout.InfiniteTimeSpan).CheckAsync(token);
        }

        var store = new AwaitedObjectStorage(life, components.Storage);
        _ = life.Spawn("store-probe", store.ProbeAsync);
        var wals = components.Wals(life, store);
        await RemoveUnfinishedAsync(wals, token);
        var devices = wals.Devices is { } reached ? await FindDevicesAsync(reached, token) : [];
        var nodes = new NodeRegistry(life, member.Channel);
        var self = await RegisterAsync(nodes, devices, token);
        await RefuseCopyAsync(store, self, token);
        wals.Devices?.Owner = new BlockOwner(member.Metadata.Image.ClusterId, self);
        wals.Devices?.IsLive = other => member.Metadata.Image.Nodes.TryGetValue(other.Node, out var known) && known.Epoch == other.Epoch && known.IsLive;
        member.Registered = self;
        // From the first thing on that it is to recover: whoever cannot do it keeps others waiting.
        member.WatchStore(() => store.Owing);
        var registry = new StreamRegistry(member.Channel, self);
        ServerMessages.Registered(_logger, self.Node, self.Epoch, member.Metadata.Image.ClusterId);

        // The former WALs before the new one: recovering needs the store alone, and what it frees may be all the room that a new one has. The
        // new one is known before it is made: a crash in between leaves a name without a file, and never a file without a name.
        var former = new FormerWals(life, nodes, self, wals.Own, wals.Former);

        // Where nobody else can have one of its WALs, giving its node up for the store helps nobody: its partitions go on with what is in memory.
        var objects = wals.Own.All(own => own.Kind.IsOfAll()) ? store : components.Storage;
        var cache = _parts.Add(new ObjectCache(life, options.Streams, objects, components.Buffers));
        var failover = new ShareRecoverer(life, options.Streams, new UploadTarget(self, store, registry, components.Buffers), cache);
        var recovery = new ShareTakeover(life, nodes, self, failover, _parts.Add(new RecoveryMetrics()), wals.Former);
        await RecoverAsync(life, recovery, nodes, self, token);
        await former.MakeRoomAsync(token);
        var written = await MakeWalsAsync(wals.Own, nodes, self, token);
        member.WatchStore(() => TimeSpan.FromTicks(Math.Max(written.Stalled.Ticks, store.Owing.Ticks)));

        var streams = _parts.Add(
            new StreamStore(life, options.Streams, new StreamsComponents(self, written, objects, registry, components.Buffers, cache)));
        var identity = new BrokerIdentity(self.Node, self.Epoch, new ConfigResolver(self.Node, options.Settings.Values));
        var broker = _parts.Add(new KafkaBroker(
            life, identity, member.Metadata, member.Channel, member.Lease, streams, components.Buffers,
            options.Streams.NotUploadedBytes + options.Streams.BlockCacheBytes, options.Network, components.Peers, components.Process));
        member.WatchLoad(() => broker.Load);
        broker.Start();
        member.Serve(broker.Followers);
        foreach (var listener in listeners.Bound)
        {
            broker.Serve(listener.Lend(), listener.Name);
        }

        _ = life.Spawn("former-wals", ending => former.GiveBackAsync(member.Metadata, ending));
        var survivor = new SurvivorLoop(life, self, recovery, new AcceptedLosses(life, nodes, self, []));
        _ = life.Spawn("failover", ending => survivor.RunAsync(member.Metadata, ending));
        if (wals.Devices is { NamesOthers: true } watched)
        {
            _ = life.Spawn("device-reports", ending => new DeviceReports(life, nodes, self, watched).RunAsync(devices, ending));
        }

        var compactor = new ObjectCompactor(
            life, options.Streams, new UploadTarget(self, components.Storage, registry, components.Buffers), new CompactionRegistry(member.Channel, self),
            () => streams.IsBusy, _parts.Add(new CompactionMetrics()));
        _ = life.Spawn("object-compactor", compactor.RunAsync);
        if (identity.Configs.Broker(member.Metadata.Image, BrokerConfigs.AutoLeaderRebalanceEnable).AsBoolean())
        {
            _ = life.Spawn("leader-return", ending => ReturnLeadersAsync(nodes, self, ending));
        }

        return new Incarnation(life, options, _parts)
        {
            Self = self,
            Metadata = member.Metadata,
            Nodes = nodes,
            Wals = written,
            Streams = streams,
            Broker = broker,
        };
    }

    private async Task RemoveUnfinishedAsync(WalProviders wals, CancellationToken token)
    {
        foreach (var own in wals.Own)
        {
            try
            {
                await own.RemoveUnfinishedAsync(token);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                ServerMessages.UnfinishedNotRemoved(_logger, failure.Message);
            }
        }
    }

    /// <summary>All are known before any is made, the default last; and all are made before this node opens anything by itself.</summary>
    private async Task<NodeWals> MakeWalsAsync(IReadOnlyList<IWalProvider> own, NodeRegistry nodes, NodeIncarnation self, CancellationToken token)
    {
        // Only on a device WALs take each other's places.
        var waiting = own.Any(provider => provider.Kind == WalKind.Block) ? await nodes.GetWaitingWalsAsync(token) : [];
        var descriptors = own.Select(provider => provider.Describe(self.Node, self.Epoch, [.. waiting.Select(wal => wal.Wal)])).ToArray();
        foreach (var descriptor in descriptors.Reverse())
        {
            await nodes.RegisterWalAsync(self, descriptor, isAdditional: descriptor != descriptors[0], token);
        }

        var made = new List<IWriteAheadLog>();
        foreach (var (provider, descriptor) in own.Zip(descriptors))
        {
            made.Add(_parts.Add(await provider.CreateAsync(descriptor, token)));
        }

        return new NodeWals(made[0], [.. made.Skip(1)]);
    }

    private async Task<IReadOnlyList<string>> FindDevicesAsync(BlockDevices devices, CancellationToken token)
    {
        try
        {
            return await devices.FindAsync(token);
        }
        catch (Exception failure) when (!isReplacement && failure is IOException or UnauthorizedAccessException)
        {
            // One that another incarnation has used is asked for again.
            throw new NodeStartException($"The WAL's device cannot be used: {failure.Message}", failure);
        }
    }

    private async Task<NodeIncarnation> RegisterAsync(NodeRegistry nodes, IReadOnlyList<string> devices, CancellationToken token)
    {
        await RefuseIfAliveAsync(token);
        var registration = new NodeRegistration(node.NewId(), listeners.Endpoints, options.Rack, options.NodeId, ProductVersion.Program)
        {
            Internal = member.Self,
            Name = options.Name,
            Devices = [.. devices],
            Times = new NodeTimes(options.Cluster.LeaseTime, options.Cluster.FenceTime),
        };
        try
        {
            return await nodes.RegisterAsync(registration, token);
        }
        catch (RegistrationException refusal)
        {
            throw new NodeStartException(refusal.Message, refusal);
        }
    }

    /// <summary>
    /// A copy of a store names the controller of the original, and is believed: whatever was written here would be missing there. But what the controller has
    /// just written is not in the copy. The original forgets a node that it does not hear of.
    /// </summary>
    private async Task RefuseCopyAsync(AwaitedObjectStorage store, NodeIncarnation self, CancellationToken token)
    {
        var image = member.Metadata.Image;
        if (!await MetadataLog.ReachesAsync(node, store, image.Version, token))
        {
            var others = image.LiveNodes.Where(other => other.Id != self.Node).Select(other => other.Endpoints[0]).Take(3);
            throw new NodeStartException(
                $"{store.Name} is a copy of the store of cluster {image.ClusterId}, whose brokers live ({string.Join(", ", others)}): "
                + "what they write is not here. Give this one their store (--store, --data-dir); or, to go on with the copy, stop them, or start it where it "
                + "cannot reach them.");
        }
    }

    /// <summary>Two processes that were the same node would fence each other for ever.</summary>
    private async Task RefuseIfAliveAsync(CancellationToken token)
    {
        foreach (var same in member.Metadata.Image.LiveNodes.Where(IsSame))
        {
            if (same.Internal is { } address && address != member.Self && await member.IsAliveAsync(address, token))
            {
                throw new NodeStartException(
                    $"Node {same.Id} ({same.Name}) of cluster {member.Metadata.Image.ClusterId} is alive, at {same.Endpoints[0]}. "
                    + "Stop it first, or give this one another name (--name), or another store (--store, --data-dir).");
            }
        }
    }

    private bool IsSame(NodeImage known) => known.Id == options.NodeId || (known.Name is not null && known.Name == options.Name);

    private async Task RecoverAsync(
        NodeRuntime life, ShareTakeover recovery, NodeRegistry nodes, NodeIncarnation self, CancellationToken token)
    {
        var waiting = await nodes.GetWaitingWalsAsync(token);
        var losses = new AcceptedLosses(life, nodes, self, options.AcceptLoss);
        // An attempt before this one may have given up what is named, and of a WAL nothing is known then.
        if (!isReplacement && losses.FindUnknown(member.Metadata.Image, waiting) is { } unknown)
        {
            throw new SettingsException(
                $"--accept-loss {unknown.Name}: no WAL, topic or TOPIC-PARTITION is called so (any more), and nothing was given up."
                + Suggestion.Question(unknown.Name, unknown.Known));
        }

        // Shares of those of other nodes are recovered while this one serves; unless the operator gives something up, which is said once.
        var own = options.AcceptLoss.Count > 0 ? waiting : [.. waiting.Where(wal => wal.Wal.Node == self.Node)];
        await new StartRecovery(recovery, losses).RunAsync(own, triesAgain: isReplacement, token);
    }

    /// <summary>Others have come to lead, while it was away, what it is the preferred leader of; or are about to, when they have recovered it.</summary>
    private async Task ReturnLeadersAsync(NodeRegistry nodes, NodeIncarnation self, CancellationToken token)
    {
        try
        {
            await nodes.ReturnLeadersAsync(self, token);
            if (IsAwaited(member.Metadata.Image))
            {
                using var patience = new CancellationTokenSource(RecoveryPatience, node.Time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
                try
                {
                    await member.Metadata.WaitAsync(image => !IsAwaited(image), either.Token);
                }
                catch (OperationCanceledException) when (!token.IsCancellationRequested)
                {
                    // What has been recovered by now comes back.
                }

                await nodes.ReturnLeadersAsync(self, token);
            }
        }
        catch (StreamException failure)
        {
            // If it is fenced, it hears of that elsewhere.
            ServerMessages.LeadersNotReturned(_logger, failure.Message);
        }

        bool IsAwaited(MetadataImage image) => image.Topics.Values.Any(topic => topic.Partitions.Exists(
            partition => partition.Leader is null && BrokerDuties.PreferredLeader(image, partition.Replicas) == self.Node));
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
}
