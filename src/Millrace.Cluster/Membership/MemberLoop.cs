using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Millrace.Cluster.Following;
using Millrace.Cluster.Liveness;
using Millrace.Cluster.Peers;
using Millrace.Cluster.Seat;
using Millrace.Controller;
using Millrace.Controller.Balancing;
using Millrace.Controller.Endpoint;
using Millrace.Controller.Log;
using Millrace.Controller.Scaling;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;

namespace Millrace.Cluster.Membership;

/// <summary>
/// The one loop of a member: it looks who the controller is, follows that one, or takes its place and is it, and begins again when that is over.
/// </summary>
/// <remarks>Threading: the loop is one; the rest by any thread. Disposed of when the loop has ended.</remarks>
internal sealed class MemberLoop : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly NodeRuntime _life;
    private readonly AwaitedObjectStorage _storage;
    private readonly IConnectionFactory _peers;
    private readonly PeerAddress _self;
    private readonly ClusterOptions _options;
    private readonly ILogger _logger;
    private readonly MetadataFeed _feed;
    private readonly MetadataCopy _copy;
    private readonly PeerQuestions _questions;
    private readonly NodeReports _reports;
    private readonly Candidacy _candidacy;
    private readonly OwnerSearch _search;
    private readonly LivenessMetrics _metrics;

    // Between readings of the bucket that were to help where a controller does not.
    private readonly BackOff _readings;
    private volatile ControllerFollower? _following;

    /// <param name="life">The process' part in the cluster; a failure that lasts ends it.</param>
    /// <param name="storage">The bucket.</param>
    /// <param name="log">Its metadata, as far as it was read; owned from now on.</param>
    /// <param name="feed">Hears of each image.</param>
    /// <param name="peers">Connects to other nodes.</param>
    /// <param name="questions">Asks them.</param>
    /// <param name="reports">What the controller is told of this node.</param>
    /// <param name="self">Where others reach it.</param>
    /// <param name="options">How patient it is.</param>
    public MemberLoop(
        NodeRuntime life, AwaitedObjectStorage storage, MetadataLog log, MetadataFeed feed, IConnectionFactory peers, PeerQuestions questions,
        NodeReports reports, PeerAddress self, ClusterOptions options)
    {
        (_life, _storage, _feed, _peers, _questions, _reports) = (life, storage, feed, peers, questions, reports);
        (_self, _options) = (self, options);
        _logger = life.Loggers.CreateLogger<ClusterMember>();
        _copy = new MetadataCopy(life, storage, options.Log, feed, log, Looked);
        _candidacy = new Candidacy(questions, options, self);
        _search = new OwnerSearch(life, _copy, _candidacy, feed);
        _metrics = new LivenessMetrics(() => reports.Lease?.Lapses ?? 0, () => Seat.Local?.Judge);
        _readings = new BackOff(life, FirstPause, LongestPause);
    }

    /// <summary>The way to the controller, wherever it is at the moment.</summary>
    public ControllerFinder Finder { get; } = new();

    /// <summary>Where the controller is, while it lives in this process.</summary>
    public LocalSeat Seat { get; } = new();

    /// <summary>Goes on until the member leaves. What it cannot go on with ends the member.</summary>
    public async Task RunAsync(CancellationToken stopping)
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

    /// <summary>What other nodes are told of whom this one follows.</summary>
    public PeerViewResponse View()
    {
        var (local, following) = (Seat.Local, _following);
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

    public async ValueTask DisposeAsync()
    {
        await _copy.DisposeAsync();
        _metrics.Dispose();
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
            _life, _peers, _options, _copy, Finder, _self.ToString(), _reports, _storage.Check.TakesWritesAsync,
            () => _candidacy.IsNext(_feed.Image, owner), owner);
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
        var since = _life.Time.GetTimestamp();
        return await _candidacy.JudgeAsync(_feed.Image, owner, end, stopping) is { } wait
            ? new LostController(owner, end, wait, since)
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
        Seat.Take(seal.IncarnationId);
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
            Seat.Leave();
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
        var failovers = new Failovers(term.Time, _metrics.Lost, _metrics.Recovered);
        using var watch = controller.Metadata.Subscribe(failovers.Observe);
        var sessions = new LivenessJudge(
            term, controller, _questions, _options, _self, gone, failovers,
            // One request that takes long is no store that is away; nor is one that nothing of the log waits for.
            () => controller.Stalled is var stalled && _storage.Owing is var owing && stalled < owing ? stalled : owing);
        var balancer = new Balancer(term, controller, _options.Controller);
        var scaler = new Scaler(term, controller, _options.Controller);
        var endpoint = new ControllerEndpoint(term, controller, _options.Controller, balancer, scaler);
        _ = term.Spawn("node-sessions", sessions.RunAsync);
        _ = term.Spawn("balancer", balancer.RunAsync);
        _ = term.Spawn("scaler", scaler.RunAsync);
        Seat.Seat(new LocalController(owner, controller, endpoint, sessions));
        var beats = new Heartbeats(term, _options, owner.Id, _reports, (request, _) => ValueTask.FromResult(sessions.Hear(request, connection: null)));
        _ = term.Spawn("own-heartbeats", beats.RunAsync);
        var link = _options.Link(endpoint);
        Finder.Found(link);
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
            Seat.Leave();
            Finder.Lost(link);
        }
    }

    /// <summary>The log was read to its end, in a look that began at a time.</summary>
    private void Looked(long beganAt)
    {
        var lease = (long)(_options.LeaseTime.TotalSeconds * _life.Time.TimestampFrequency);
        _reports.Lease?.Looked(_options.Rules.AfterLook(beganAt, lease), _feed.Image);
    }

    private static bool IsLasting(Exception reason) =>
        ClusterMember.CauseOf(reason) is not (ObjectLogException { Error: ObjectLogError.Fenced or ObjectLogError.Closed } or ObjectStorageException
            or OutOfMemoryException);
}
