using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Connections;
using Millrace.Cluster.Liveness;
using Millrace.Cluster.Peers;
using Millrace.Cluster.Seat;
using Millrace.Cluster.Serving;
using Millrace.Controller.Log;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Network.Requests;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Streams.Registry;

namespace Millrace.Cluster.Membership;

/// <summary>
/// A process' place in its cluster: it follows the controller, or is it. Whoever lives in the process has the image of the cluster and the way to the
/// controller from here, and need not know where that is.
/// </summary>
/// <remarks>
/// The metadata log alone decides who is the controller: it has one owner at a time, and what an owner that was deposed still believes it cannot commit.
/// What a member decides (<see cref="MemberLoop"/>) is only when to try. Outlives the incarnations of the node. Threading: any thread.
/// </remarks>
public sealed class ClusterMember : IAsyncDisposable
{
    private readonly NodeRuntime _life;
    private readonly MetadataFeed _feed = new();
    private readonly PeerQuestions _questions;
    private readonly NodeReports _reports;
    private readonly MemberLoop _loop;
    private readonly InternalServer _server;
    private volatile FollowerService? _followers;

    private ClusterMember(
        NodeRuntime life, AwaitedObjectStorage storage, MetadataLog log, BufferPool buffers, IConnectionFactory peers, PeerAddress self, ClusterOptions options)
    {
        _life = life;
        Ended = life.Stopping;
        Self = self;
        _reports = new NodeReports(_feed);
        _questions = new PeerQuestions(life, peers, self.ToString());
        _loop = new MemberLoop(life, storage, log, _feed, peers, _questions, _reports, self, options);
        _server = new InternalServer(life, buffers, _loop.Seat, _loop.View, () => _followers);
        Channel = new ControllerChannel(_loop.Finder, _feed);
    }

    /// <summary>The cluster's image as this node knows it.</summary>
    public IMetadataFeed Metadata => _feed;

    /// <summary>The way to the controller, wherever it is at the moment.</summary>
    public IControllerChannel Channel { get; }

    /// <summary>Where other nodes reach this one.</summary>
    public PeerAddress Self { get; }

    /// <summary>The controller, while it lives in this process.</summary>
    public LocalController? Local => _loop.Seat.Local;

    /// <summary>Completes, with the reason, when the process can be no member any more: the metadata cannot be read, or contradicts itself.</summary>
    public Task<Exception> Failed => _life.Failed;

    /// <summary>Cancelled when this is a member no longer: nothing that is asked of the controller will ever be answered.</summary>
    public CancellationToken Ended { get; }

    /// <summary>Joins the cluster in a bucket, or forms it. Returns when the cluster has a controller.</summary>
    /// <param name="life">This part of the process, which the log was read in; owned from now on.</param>
    /// <param name="storage">The bucket, known to be one of ours; the log was read through it.</param>
    /// <param name="log">Its metadata, as far as it was read; owned from now on.</param>
    /// <param name="buffers">Memory for the requests of other nodes.</param>
    /// <param name="listener">Where other nodes come, bound; owned from now on.</param>
    /// <param name="peers">Connects to other nodes.</param>
    /// <param name="self">Where others reach this one.</param>
    /// <param name="options">How patient it is.</param>
    /// <param name="token">Ends the attempt.</param>
    public static async Task<ClusterMember> JoinAsync(
        NodeRuntime life,
        AwaitedObjectStorage storage,
        MetadataLog log,
        BufferPool buffers,
        IConnectionListener listener,
        IConnectionFactory peers,
        PeerAddress self,
        ClusterOptions options,
        CancellationToken token)
    {
        var member = new ClusterMember(life, storage, log, buffers, peers, self, options);
        member._server.Serve(listener);
        _ = life.Spawn("store-probe", storage.ProbeAsync);
        _ = life.Spawn("cluster-member", member._loop.RunAsync);
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(token, life.Stopping);
            await member._loop.Finder.WhenFoundAsync(either.Token);
            await member._feed.WaitAsync(image => image.ClusterUuid != Guid.Empty, either.Token);
            return member;
        }
        catch (Exception failure)
        {
            await member.DisposeAsync();
            if (failure is OperationCanceledException && !token.IsCancellationRequested && member.Failed.IsCompleted)
            {
                // What counts is why it can be no member.
                ExceptionDispatchInfo.Throw(CauseOf(await member.Failed));
            }

            throw;
        }
    }

    /// <summary>Which incarnation lives in this process, for the controller to hear of; null while none is registered.</summary>
    public NodeIncarnation? Registered
    {
        get => _reports.Lease?.Holder;
        set => _reports.Lease = value is { } incarnation ? new ReadLease(_life.Time, incarnation) : null;
    }

    /// <summary>That incarnation's right to answer reads. Only while one is registered.</summary>
    public IReadLease Lease => _reports.Lease!;

    /// <summary>From now on the controller is told how long the incarnation has waited for the store.</summary>
    public void WatchStore(Func<TimeSpan> stalled) => _reports.Watch(stalled);

    /// <summary>From now on the controller is told what the incarnation has had to do, each time that this is another.</summary>
    public void WatchLoad(Func<NodeLoad?> load) => _reports.Watch(load);

    /// <summary>From now on those who follow partitions that the incarnation leads are answered by its broker.</summary>
    public void Serve(FollowerService followers) => _followers = followers;

    /// <summary>Whether a node of this cluster answers at an address.</summary>
    public async Task<bool> IsAliveAsync(PeerAddress node, CancellationToken token) =>
        (await _questions.AskAsync([node], token))[0].View?.ClusterId == _feed.Image.ClusterUuid;

    /// <summary>Leaves: a controller that lives here resigns, and other nodes find nobody here.</summary>
    public async ValueTask DisposeAsync()
    {
        _life.Stop();
        await _server.DisposeAsync();
        await _life.DisposeAsync();
        await _loop.DisposeAsync();
    }

    /// <summary>What a background loop failed of is inside.</summary>
    public static Exception CauseOf(Exception reason) => reason is InvalidOperationException { InnerException: { } inner } ? CauseOf(inner) : reason;
}
