using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Millrace.Cluster.Following;
using Millrace.Cluster.Liveness;
using Millrace.Cluster.Peers;
using Millrace.Cluster.Seat;
using Millrace.Cluster.Serving;
using Millrace.Controller;
using Millrace.Controller.Endpoint;
using Millrace.Controller.Log;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
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
/// What is decided here is only when to try. Outlives the incarnations of the node. Threading: any thread.
/// </remarks>
public sealed class ClusterMember : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly NodeRuntime _life;
    private readonly IObjectStorage _storage;
    private readonly IConnectionFactory _peers;
    private readonly PeerAddress _self;
    private readonly ClusterOptions _options;
    private readonly ILogger _logger;
    private readonly MetadataFeed _feed = new();
    private readonly MetadataCopy _copy;
    private readonly ControllerFinder _finder = new();
    private readonly PeerQuestions _questions;
    private readonly Candidacy _candidacy;
    private readonly OwnerSearch _search;
    private readonly InternalServer _server;
    private readonly ControllerSeat _seat = new();
    private readonly NodeReports _reports;
    private readonly LivenessMetrics _metrics;

    // Between readings of the bucket that were to help where a controller does not.
    private readonly BackOff _readings;
    private volatile ControllerFollower? _following;

    private ClusterMember(
        NodeRuntime life, IObjectStorage storage, MetadataLog log, BufferPool buffers, IConnectionFactory peers, PeerAddress self, ClusterOptions options)
    {
        _life = life;
        Ended = _life.Stopping;
        _copy = new MetadataCopy(_life, storage, options.Log, _feed, log, Looked);
        (_storage, _peers, _self, _options) = (storage, peers, self, options);
        _logger = life.Loggers.CreateLogger<ClusterMember>();
        _reports = new NodeReports(_feed);
        _questions = new PeerQuestions(_life, peers, self.ToString());
        _candidacy = new Candidacy(_questions, options, self);
        _search = new OwnerSearch(_life, _copy, _candidacy, _feed);
        _server = new InternalServer(_life, buffers, _seat, View);
        _metrics = new LivenessMetrics(_life, () => _reports.Lease?.Lapses ?? 0, () => _seat.Local?.Sessions);
        _readings = new BackOff(_life, FirstPause, LongestPause);
        Channel = new ControllerChannel(_finder, _feed);
    }

    /// <summary>The cluster's image as this node knows it.</summary>
    public IMetadataFeed Metadata => _feed;

    /// <summary>The way to the controller, wherever it is at the moment.</summary>
    public IControllerChannel Channel { get; }

    /// <summary>Where other nodes reach this one.</summary>
    public PeerAddress Self => _self;

    /// <summary>The controller, while it lives in this process.</summary>
    public LocalController? Local => _seat.Local;

    /// <summary>Completes, with the reason, when the process can be no member any more: the metadata cannot be read, or contradicts itself.</summary>
    public Task<Exception> Failed => _life.Failed;

    /// <summary>Cancelled when this is a member no longer: nothing that is asked of the controller will ever be answered.</summary>
    public CancellationToken Ended { get; }

    /// <summary>Joins the cluster in a bucket, or forms it. Returns when the cluster has a controller.</summary>
    /// <param name="life">This part of the process, which the log was read in; owned from now on.</param>
    /// <param name="storage">The bucket, known to be one of ours.</param>
    /// <param name="log">Its metadata, as far as it was read; owned from now on.</param>
    /// <param name="buffers">Memory for the requests of other nodes.</param>
    /// <param name="listener">Where other nodes come, bound; owned from now on.</param>
    /// <param name="peers">Connects to other nodes.</param>
    /// <param name="self">Where others reach this one.</param>
    /// <param name="options">How patient it is.</param>
    /// <param name="token">Ends the attempt.</param>
    public static async Task<ClusterMember> JoinAsync(
        NodeRuntime life,
        IObjectStorage storage,
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
        _ = member._life.Spawn("cluster-member", member.LiveAsync);
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(token, member._life.Stopping);
            await member._finder.WhenFoundAsync(either.Token);
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

    /// <summary>Whether a node of this cluster answers at an address.</summary>
    public async Task<bool> IsAliveAsync(PeerAddress node, CancellationToken token) =>
        (await _questions.AskAsync([node], token))[0].View?.ClusterId == _feed.Image.ClusterUuid;

    /// <summary>Leaves: a controller that lives here resigns, and other nodes find nobody here.</summary>
    public async ValueTask DisposeAsync()
    {
        _life.Stop();
        await _server.DisposeAsync();
        await _life.DisposeAsync();
        await _copy.DisposeAsync();
        _metrics.Dispose();
    }

    private async Task LiveAsync(CancellationToken stopping)
    {
        var pauses = new BackOff(_life, FirstPause, LongestPause);
        LostController? lost = null;
        while (true)
        {
            try
            {
                lost = await FollowOrLeadAsync(lost, stopping);
                pauses.Reset();
            }
            catch (Exception passing) when (passing is ObjectStorageException or ControllerException
                or ObjectLogException { Error: ObjectLogError.Fenced or ObjectLogError.Closed or ObjectLogError.Trimmed })
            {
                ClusterMessages.TriesAgain(_logger, passing.Message);
                await pauses.PauseAsync(stopping);
            }
        }
    }

    /// <summary>Follows whoever owns the log, or takes it over from the one that is lost when its time has come.</summary>
    /// <returns>The controller that is lost now; null if none is.</returns>
    private async Task<LostController?> FollowOrLeadAsync(LostController? lost, CancellationToken stopping)
    {
        var owner = await _search.FindAsync(lost, stopping);
        if (owner is null)
        {
            if (!_copy.IsWhole)
            {
                // That takes its time, in which others may be faster.
                await _search.DoUntilFoundAsync(lost, _copy.MakeWholeAsync, stopping);
                return lost;
            }

            owner = await LeadAsync(lost, await _copy.MakeWholeAsync(stopping), stopping);
            if (owner is null)
            {
                return null;
            }
        }

        var next = await FollowAsync(owner, stopping);
        // Who was named by hearsay, and is not there, is no reason to go back to the one before.
        return next is null && lost is not null && _copy.Owner?.Id == lost.Owner.Id ? lost : next;
    }

    private async Task<LostController?> FollowAsync(TermOwner owner, CancellationToken stopping)
    {
        var follower = _following = new ControllerFollower(
            _life, _peers, _options, _copy, _finder, _self.ToString(), _reports, () => _candidacy.IsNext(_feed.Image, owner), owner);
        ClusterMessages.Follows(_logger, owner.Host, owner.Port);
        _metrics.ControllerFound(owner.Id);
        var began = _life.Time.GetTimestamp();
        var end = await follower.RunAsync(stopping);
        _following = null;
        if (end == FollowEnd.TooFarBack)
        {
            return await ReadWhatIsMissingAsync(_life.Time.GetElapsedTime(began), stopping);
        }

        ClusterMessages.ControllerLost(_logger, owner.Host, owner.Port, end);
        return await _candidacy.JudgeAsync(_feed.Image, owner, end, stopping) is { } wait
            ? new LostController(owner, end, wait, _life.Time.GetTimestamp())
            : await FollowAgainAsync(stopping);
    }

    /// <summary>
    /// What the controller cannot tell the bucket can, and nobody else: however long its store is away, that is waited for. If what is there does not help,
    /// the same comes again, and not without a pause.
    /// </summary>
    private async Task<LostController?> ReadWhatIsMissingAsync(TimeSpan followed, CancellationToken stopping)
    {
        if (followed >= LongestPause)
        {
            _readings.Reset();
        }

        await _copy.ReadAsync(stopping);
        await _readings.PauseAsync(stopping);
        return null;
    }

    /// <summary>Others hear the controller that this node does not: it is looked for again, and not without a pause.</summary>
    private async Task<LostController?> FollowAgainAsync(CancellationToken stopping)
    {
        await Task.Delay(_options.HeartbeatInterval, _life.Time, stopping);
        return null;
    }

    /// <returns>Who was faster, if the attempt was given up for that.</returns>
    private async Task<TermOwner?> LeadAsync(LostController? lost, MetadataLog log, CancellationToken stopping)
    {
        await using var term = _life.NewPart();
        var seal = new ControllerSeal { IncarnationId = term.NewId(), Host = _self.Host, Port = _self.Port };
        _seat.Take(seal.IncarnationId);
        ClusterController? controller = null;
        try
        {
            var faster = await _search.DoUntilFoundAsync(
                lost,
                async token => controller = await ClusterController.TryStartAsync(term, log, _feed, _storage, seal, _options.Controller, token),
                stopping);
            if (controller is null)
            {
                return log.WasTaken ? null : faster;
            }

            await using (controller)
            {
                await ServeAsync(term, new TermOwner(seal.IncarnationId, seal.Host, seal.Port, log.Next.Term), controller, lost, stopping);
            }

            return null;
        }
        finally
        {
            _seat.Leave();
            if (log.WasTaken)
            {
                await _copy.LetGoAsync();
            }
        }
    }

    private async Task ServeAsync(
        NodeRuntime term, TermOwner owner, ClusterController controller, LostController? lost, CancellationToken stopping)
    {
        var gone = lost is { End: FollowEnd.Gone } former ? new PeerAddress(former.Owner.Host, former.Owner.Port) : null;
        var sessions = new NodeSessions(term, controller, _questions, _options, _self, gone, _metrics);
        var endpoint = new ControllerEndpoint(term, controller, _options.Controller);
        _ = term.Spawn("node-sessions", sessions.RunAsync);
        _seat.Seat(new LocalController(owner, controller, endpoint, sessions));
        var beats = new Heartbeats(term, _options, owner.Id, _reports, (request, _) => ValueTask.FromResult(sessions.Hear(request, connection: null)));
        _ = term.Spawn("own-heartbeats", beats.RunAsync);
        var link = _options.Link(endpoint);
        _finder.Found(link);
        ClusterMessages.Leads(_logger);
        _metrics.ControllerFound(owner.Id);
        try
        {
            var reason = await term.Failed.OrCancelled(stopping);
            ClusterMessages.LeadsNoMore(_logger, reason.Message);
            if (IsLasting(reason))
            {
                _life.Fail(reason);
            }
        }
        finally
        {
            beats.Break();
            _seat.Leave();
            _finder.Lost(link);
        }
    }

    /// <summary>The log was read to its end, in a look that began at a time.</summary>
    private void Looked(long beganAt)
    {
        var lease = (long)(_options.LeaseTime.TotalSeconds * _life.Time.TimestampFrequency);
        _reports.Lease?.Looked(_options.Rules.AfterLook(beganAt, lease), _feed.Image);
    }

    private PeerViewResponse View()
    {
        var (local, following) = (_seat.Local, _following);
        var owner = local?.Owner ?? following?.Owner;
        return new PeerViewResponse
        {
            ClusterId = _feed.Image.ClusterUuid,
            ControllerId = owner?.Id ?? Guid.Empty,
            Host = owner?.Host ?? "",
            Port = owner?.Port ?? 0,
            Term = owner?.Term ?? 0,
            HeardAgoMs = local is not null ? 0 : following?.HeardAgo is { } ago ? (long)ago.TotalMilliseconds : -1,
        };
    }

    /// <summary>What a background loop failed of is inside.</summary>
    public static Exception CauseOf(Exception reason) => reason is InvalidOperationException { InnerException: { } inner } ? CauseOf(inner) : reason;

    private static bool IsLasting(Exception reason) =>
        CauseOf(reason) is not (ObjectLogException { Error: ObjectLogError.Fenced or ObjectLogError.Closed } or ObjectStorageException
            or OutOfMemoryException);
}
