using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Millrace.Cluster.Peers;
using Millrace.Controller;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Cluster.Liveness;

/// <summary>The controller's judgement of which nodes live. It fences those that do not, and thereby begins their failover.</summary>
/// <remarks>
/// The safety of writes does not rest on it: whoever is fenced and lives finds its WAL sealed, and its requests refused. That of reads does: a node is given
/// up when the last lease has ended that it was granted, or when its process has. Every node has a whole session when a controller begins. Threading: hearing
/// by any thread, judging by loops of its own.
/// </remarks>
public sealed class NodeSessions
{
    private readonly NodeRuntime _runtime;
    private readonly ClusterController _controller;
    private readonly PeerQuestions _questions;
    private readonly ClusterOptions _options;
    private readonly PeerAddress _self;
    private readonly ILogger _logger;
    private readonly SessionClock _clock;
    private readonly LeaseGrants _grants;
    private readonly FenceJudge _judge;
    private readonly ConcurrentDictionary<NodeIncarnation, NodeSession> _sessions = new();
    private readonly ConcurrentDictionary<NodeIncarnation, bool> _fencedForSilence = new();
    private readonly LivenessMetrics _metrics;
    private readonly StallJudge _stalls;
    private long _ownStall;
    private TaskCompletionSource _suspicion = NewSuspicion();

    /// <param name="runtime">Of this controller's term.</param>
    /// <param name="controller">Knows the nodes, and fences them.</param>
    /// <param name="questions">Finds out whether a silent node's process is gone.</param>
    /// <param name="options">The sessions.</param>
    /// <param name="self">This controller's own node: it lives as long as this does.</param>
    /// <param name="metrics">Counts what becomes of them.</param>
    internal NodeSessions(
        NodeRuntime runtime, ClusterController controller, PeerQuestions questions, ClusterOptions options, PeerAddress self, LivenessMetrics metrics)
    {
        (_runtime, _controller, _questions, _options, _self, _metrics) = (runtime, controller, questions, options, self, metrics);
        _logger = runtime.Loggers.CreateLogger<NodeSessions>();
        _clock = new SessionClock(runtime, options.SuspicionTime / 2);
        _grants = new LeaseGrants(runtime, controller, options, _clock);
        _judge = new FenceJudge(options);
        _stalls = new StallJudge(options);

        // A stranger's silence warns no former controller: that one may grant whole leases until it looks at the log.
        var isStranger = controller.Metadata.Image.LiveNodes.All(node => node.Internal != self);
        foreach (var node in Others())
        {
            _sessions[IncarnationOf(node)] = new NodeSession(isStranger ? options.Controller.CalmOwnershipInterval : TimeSpan.Zero);
        }
    }

    /// <summary>A node says that it lives.</summary>
    /// <param name="heartbeat">What it says.</param>
    /// <param name="connection">Which way it came; null of the controller's own node.</param>
    internal NodeHeartbeatResponse Hear(NodeHeartbeatRequest heartbeat, ClientConnection? connection)
    {
        var node = new NodeIncarnation(new NodeId(heartbeat.NodeId), new NodeEpoch(heartbeat.NodeEpoch));
        if (!(_controller.Metadata.Image.Nodes.TryGetValue(node.Node, out var known) && known.Epoch == node.Epoch && known.IsLive))
        {
            if (_fencedForSilence.TryRemove(node, out _))
            {
                ClusterMessages.FencedWrongly(_logger, node.Node, node.Epoch);
                lock (_judge)
                {
                    _judge.FencedWrongly(_clock.Now, node.Node);
                }
            }

            return new NodeHeartbeatResponse { Outcome = (sbyte)HeartbeatOutcome.Fenced };
        }

        if (heartbeat.Term > _controller.Term)
        {
            _grants.Doubt();
        }

        if (connection is null)
        {
            Volatile.Write(ref _ownStall, heartbeat.StalledMs);
        }

        var session = SessionOf(node);
        Watch(session, connection);
        var mark = _runtime.Time.GetTimestamp();
        var sentAfter = heartbeat.AnswerMark == 0 ? 0 : heartbeat.AnswerMark + heartbeat.AnswerAgeMs * (_runtime.Time.TimestampFrequency / 1_000);

        // Whoever is heard and has had no answer for a whole session hears nothing of what becomes of it.
        var mayGrant = heartbeat.AnswerAgeMs < _options.FenceTime.TotalMilliseconds
            && session.Hear(_clock.Now, sentAfter, TimeSpan.FromMilliseconds(heartbeat.StalledMs));
        return new NodeHeartbeatResponse
        {
            Outcome = (sbyte)HeartbeatOutcome.Heard,
            LeaseMs = mayGrant ? (int)_grants.Next().TotalMilliseconds : 0,
            Mark = mark,
        };
    }

    /// <summary>Judges until the term is over.</summary>
    internal async Task RunAsync(CancellationToken stopping)
    {
        // Each in a loop of its own: neither a question that a hanging node keeps waiting nor a slow log holds the clock, or whoever else is to be judged.
        _ = _runtime.Spawn("session-clock", _clock.RunAsync);
        _ = _runtime.Spawn("session-probes", ProbeAsync);
        while (true)
        {
            await Task.Delay(SessionClock.Tick, _runtime.Time, stopping);
            var sessions = Sweep();
            _grants.AllLived(sessions.Count == 0 ? null : sessions.Min(found => found.Session.SentAfter));
            if (_clock.MayJudge)
            {
                await JudgeAsync(sessions, stopping);
                await JudgeStallsAsync(sessions, stopping);
            }
        }
    }

    private async Task JudgeAsync(List<(NodeImage Node, NodeSession Session)> sessions, CancellationToken stopping)
    {
        var now = _clock.Now;
        IReadOnlyList<(NodeId Node, TimeSpan Limit)> silent;
        lock (_judge)
        {
            silent = _judge.Judge(now, [.. sessions.Select(found => (found.Node.Id, found.Session.IsCondemned ? TimeSpan.Zero : found.Session.SilenceAt(now)))]);
        }

        foreach (var (id, limit) in silent)
        {
            var (node, session) = sessions.First(found => found.Node.Id == id);
            if (session.TryEnd(now, limit))
            {
                await FenceAsync(node, session, FenceCause.Silent, stopping);
            }
        }
    }

    /// <summary>Nodes that are cut off from the store alone are granted nothing any more, and given up when what they were granted has ended.</summary>
    private async Task JudgeStallsAsync(List<(NodeImage Node, NodeSession Session)> sessions, CancellationToken stopping)
    {
        var now = _clock.Now;
        var own = TimeSpan.FromMilliseconds(Volatile.Read(ref _ownStall));
        foreach (var (node, session) in sessions)
        {
            session.IsCondemned = session.IsHeard(now, _options.ProbeTime) && _stalls.IsCutOff(
                session.Stalled,
                [own, .. sessions.Where(other => other.Session != session && other.Session.IsHeard(now, _options.ProbeTime)).Select(other => other.Session.Stalled)],
                sessions.Count);
            var limit = _options.Rules.WaitsForLease ? _options.FenceTime : TimeSpan.Zero;
            if (session.IsCondemned && session.SilenceAt(now) >= limit && session.TryEnd(now, limit))
            {
                await FenceAsync(node, session, FenceCause.CutFromStore, stopping);
            }
        }
    }

    /// <summary>How long ago each of the other live nodes was heard.</summary>
    internal IEnumerable<(NodeId Node, TimeSpan Age)> Ages()
    {
        var now = _clock.Now;
        return Others().Select(node => (node.Id, SessionOf(IncarnationOf(node)).ReceivedAgo(now)));
    }

    /// <summary>Looks for processes that are gone, which need not be waited for.</summary>
    private async Task ProbeAsync(CancellationToken stopping)
    {
        while (true)
        {
            var suspicion = Volatile.Read(ref _suspicion).Task;
            using var settled = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            await Waiting.Either(suspicion, Task.Delay(SessionClock.Tick, _runtime.Time, settled.Token));
            stopping.ThrowIfCancellationRequested();
            settled.Cancel();
            if (suspicion.IsCompleted)
            {
                Volatile.Write(ref _suspicion, NewSuspicion());
            }

            var now = _clock.Now;
            var suspects = Sweep()
                .Where(found => (found.Session.HasLostConnection || found.Session.SilenceAt(now) >= _options.ProbeTime) && found.Node.Internal is not null)
                .ToList();
            var answers = await _questions.AskAsync(suspects.Select(found => found.Node.Internal!), stopping);
            for (var i = 0; i < suspects.Count; i++)
            {
                if (answers[i].Silence == PeerSilence.Gone)
                {
                    suspects[i].Session.TryEnd(now, TimeSpan.MinValue);
                    await FenceAsync(suspects[i].Node, suspects[i].Session, FenceCause.Gone, stopping);
                }
            }
        }
    }

    /// <summary>Watches the connection that a node's heartbeats come by: when it ends, its process may have.</summary>
    private void Watch(NodeSession session, ClientConnection? connection)
    {
        if (connection is null || ReferenceEquals(session.Connection, connection))
        {
            return;
        }

        (session.Connection, session.HasLostConnection) = (connection, false);
        _ = _runtime.Spawn("session-connection", async stopping =>
        {
            await connection.Ended.OrCancelled(stopping);
            if (ReferenceEquals(session.Connection, connection))
            {
                session.HasLostConnection = true;
                Volatile.Read(ref _suspicion).TrySetResult();
            }
        });
    }

    /// <summary>The sessions of the other live nodes. Whoever is seen for the first time has a whole one before it.</summary>
    private List<(NodeImage Node, NodeSession Session)> Sweep()
    {
        var nodes = Others().ToList();
        foreach (var gone in _sessions.Keys.Where(known => !nodes.Any(node => IncarnationOf(node) == known)))
        {
            _sessions.TryRemove(gone, out _);
        }

        return [.. nodes.Select(node => (node, SessionOf(IncarnationOf(node))))];
    }

    private IEnumerable<NodeImage> Others() => _controller.Metadata.Image.LiveNodes.Where(node => node.Internal != _self);

    private NodeSession SessionOf(NodeIncarnation node) => _sessions.GetOrAdd(node, static (_, now) => new NodeSession(now), _clock.Now);

    private async Task FenceAsync(NodeImage node, NodeSession session, FenceCause cause, CancellationToken stopping)
    {
        var incarnation = IncarnationOf(node);
        ClusterMessages.Fences(_logger, node.Id, node.Epoch, Text(cause));
        try
        {
            if (cause == FenceCause.Silent)
            {
                _fencedForSilence[incarnation] = true;
                lock (_judge)
                {
                    _judge.Fenced(_clock.Now);
                }
            }

            var led = _metrics.LedBy(_controller.Metadata.Image, node.Id);
            await _controller.FenceAsync(incarnation, stopping);
            _metrics.Fenced(cause);
            _ = _runtime.Spawn("failover-watch", ending => _metrics.WatchFailoverAsync(_controller.Metadata, led, cause, ending));
        }
        catch (ControllerException refused)
        {
            // The term is over, or the log is slow: what is still true is found again.
            if (refused.Error == ControllerError.Busy)
            {
                session.GoOn();
            }

            ClusterMessages.NotFenced(_logger, node.Id, refused.Message);
        }
    }

    private static string Text(FenceCause cause) => cause switch
    {
        FenceCause.Silent => "it has been silent for too long",
        FenceCause.Gone => "its process is gone",
        FenceCause.CutFromStore => "its writes do not reach the store, and those of others do",
    };

    private static NodeIncarnation IncarnationOf(NodeImage node) => new(node.Id, node.Epoch);

    private static TaskCompletionSource NewSuspicion() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
