using Millrace.Cluster.Loads;
using Millrace.Cluster.Peers;
using Millrace.Controller;
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
public sealed class LivenessJudge
{
    private readonly NodeRuntime _runtime;
    private readonly ClusterController _controller;
    private readonly ClusterOptions _options;
    private readonly SessionClock _clock;
    private readonly SessionTable _sessions;
    private readonly LeaseGrants _grants;
    private readonly Fences _fences;
    private readonly GoneProbe _probe;
    private readonly FenceJudge _judge;
    private readonly StallJudge _stalls;
    private readonly Func<TimeSpan> _stalled;
    private long _ownStall;

    /// <param name="runtime">Of this controller's term.</param>
    /// <param name="controller">Knows the nodes, and fences them.</param>
    /// <param name="questions">Finds out whether a silent node's process is gone.</param>
    /// <param name="options">The sessions.</param>
    /// <param name="self">This controller's own node: it lives as long as this does.</param>
    /// <param name="gone">Where the controller before this one was, if its process is gone as far as this node saw; null otherwise.</param>
    /// <param name="failovers">Hears why nodes are given up, and sees what becomes of what they led.</param>
    /// <param name="stalled">How long this controller has waited for the store.</param>
    internal LivenessJudge(
        NodeRuntime runtime, ClusterController controller, PeerQuestions questions, ClusterOptions options, PeerAddress self, PeerAddress? gone,
        Failovers failovers, Func<TimeSpan> stalled)
    {
        (_runtime, _controller, _options, _stalled) = (runtime, controller, options, stalled);
        _clock = new SessionClock(runtime, options.SuspicionTime / 2);
        _sessions = new SessionTable(controller.Metadata, self, _clock);
        _grants = new LeaseGrants(runtime, controller, options, _clock);
        controller.IsUndoubted = () => _grants.IsCalm;
        _fences = new Fences(runtime, controller, failovers);
        Failovers = failovers;
        _probe = new GoneProbe(runtime, questions, options, _sessions, _clock, _fences);
        _judge = new FenceJudge(options);
        _stalls = new StallJudge(options);
        if (!_sessions.KnowsSelf)
        {
            // A stranger's silence warns no former controller: that one may grant whole leases until it looks at the log.
            _sessions.Extend(options.Controller.CalmOwnershipInterval);
        }

        if (gone is not null)
        {
            // Its node need not be waited for: the connection to it has ended, and what is left is to see that its port refuses.
            _sessions.Suspect(gone);
        }
    }

    /// <summary>What has no leader.</summary>
    internal Failovers Failovers { get; }

    /// <summary>A node says that it lives.</summary>
    /// <param name="heartbeat">What it says.</param>
    /// <param name="connection">Which way it came; null of the controller's own node.</param>
    internal NodeHeartbeatResponse Hear(NodeHeartbeatRequest heartbeat, ClientConnection? connection)
    {
        var node = new NodeIncarnation(new NodeId(heartbeat.NodeId), new NodeEpoch(heartbeat.NodeEpoch));
        if (!(_controller.Metadata.Image.Nodes.TryGetValue(node.Node, out var known) && known.Epoch == node.Epoch && known.IsLive))
        {
            var now = _clock.Now;
            if (_fences.WasWrong(node, now, _judge.Forbearing))
            {
                lock (_judge)
                {
                    _judge.FencedWrongly(now, node.Node);
                }
            }

            return new NodeHeartbeatResponse { Outcome = (sbyte)HeartbeatOutcome.Fenced };
        }

        if (heartbeat.Load is { } told && LoadForms.Read(told) is { } load)
        {
            _controller.Loads.Hear(node, load);
        }

        if (heartbeat.Term > _controller.Term)
        {
            _grants.Doubt();
        }

        var mark = _runtime.Time.GetTimestamp();
        return new NodeHeartbeatResponse
        {
            Outcome = (sbyte)HeartbeatOutcome.Heard,
            LeaseMs = MayGrant(node, heartbeat, connection) ? (int)_grants.Next().TotalMilliseconds : 0,
            Mark = mark,
            StalledMs = (long)_stalled().TotalMilliseconds,
        };
    }

    /// <summary>How long ago each of the other live nodes was heard.</summary>
    internal IEnumerable<(NodeId Node, TimeSpan Age)> Ages()
    {
        var now = _clock.Now;
        return _sessions.Sweep().Select(found => (found.Node.Id, found.Session.ReceivedAgo(now)));
    }

    /// <summary>Judges until the term is over.</summary>
    internal async Task RunAsync(CancellationToken stopping)
    {
        // Each in a loop of its own: neither a question that a hanging node keeps waiting nor a slow log holds the clock, or whoever else is to be judged.
        _ = _runtime.Spawn("session-clock", _clock.RunAsync);
        _ = _runtime.Spawn("session-calm", CalmAsync);
        _ = _runtime.Spawn("session-probes", _probe.RunAsync);
        while (true)
        {
            await Task.Delay(SessionClock.Tick, _runtime.Time, stopping);
            if (_clock.MayJudge)
            {
                var sessions = _sessions.Sweep();
                await JudgeAsync(sessions, stopping);
                await JudgeStallsAsync(sessions, stopping);
            }
        }
    }

    private bool MayGrant(NodeIncarnation node, NodeHeartbeatRequest heartbeat, ClientConnection? connection)
    {
        if (connection is null)
        {
            Volatile.Write(ref _ownStall, heartbeat.StalledMs);
            return true;
        }

        var session = _sessions.Of(node);
        _probe.Watch(session, connection);
        var sentAfter = heartbeat.AnswerMark == 0 ? 0 : heartbeat.AnswerMark + heartbeat.AnswerAgeMs * (_runtime.Time.TimestampFrequency / 1_000);

        // Whoever is heard and has had no answer for a whole session hears nothing of what becomes of it.
        return heartbeat.AnswerAgeMs < _options.FenceTime.TotalMilliseconds
            && session.Hear(_clock.Now, sentAfter, TimeSpan.FromMilliseconds(heartbeat.StalledMs));
    }

    private async Task CalmAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(SessionClock.Tick, _runtime.Time, stopping);
            var sessions = _sessions.Sweep();
            if (_controller.Metadata.Image.Nodes.Values.Any(node => node.State == NodeState.Fenced))
            {
                // Its process may live, and become controller where this one hears nothing of it.
                _grants.Doubt();
            }

            _grants.AllLived(sessions.Count == 0 ? null : sessions.Min(found => found.Session.SentAfter));
        }
    }

    private async Task JudgeAsync(List<(NodeImage Node, NodeSession Session)> sessions, CancellationToken stopping)
    {
        var now = _clock.Now;
        var silences = sessions
            .Select(found => (found.Node.Id, Silence: IsNotSilent(found.Session, now) ? TimeSpan.Zero : found.Session.SilenceAt(now)))
            .ToList();
        IReadOnlyList<(NodeId Node, TimeSpan Limit)> silent;
        lock (_judge)
        {
            silent = _judge.Judge(now, silences);
        }

        foreach (var (id, limit) in silent)
        {
            var (node, session) = sessions.First(found => found.Node.Id == id);
            if (session.TryEnd(now, limit))
            {
                lock (_judge)
                {
                    _judge.Fenced(now);
                }

                await _fences.FenceAsync(node, session, LossCause.Silent, stopping);
            }
        }
    }

    /// <summary>Nodes that are cut off from the store alone are granted nothing any more, and given up when what they were granted has ended.</summary>
    private async Task JudgeStallsAsync(List<(NodeImage Node, NodeSession Session)> sessions, CancellationToken stopping)
    {
        var now = _clock.Now;
        var own = TimeSpan.FromMilliseconds(Volatile.Read(ref _ownStall));
        var heard = sessions.Where(found => found.Session.ReceivedAgo(now) < _options.ProbeTime).ToList();
        // Nodes that ask nothing of the store do not know whether it answers: the controller looks.
        _grants.WantsProof = own >= _options.StallTime || heard.Any(found => found.Session.Stalled >= _options.StallTime);
        var answers = _runtime.Time.GetElapsedTime(_controller.ProvenAt) < _options.StallTime;
        foreach (var (node, session) in sessions)
        {
            if (session.ReceivedAgo(now) < _options.ProbeTime)
            {
                session.IsCondemned = answers && _stalls.IsCutOff(
                    session.Stalled, [own, .. heard.Where(other => other.Session != session).Select(other => other.Session.Stalled)], sessions.Count);
            }

            if (session.IsCondemned && session.TryEnd(now, _options.Rules.BeforeFence(_options.FenceTime)))
            {
                await _fences.FenceAsync(node, session, LossCause.CutFromStore, stopping);
            }
        }
    }

    // One that is condemned is heard, and was granted nothing for a while: so is one that has just been pardoned.
    private bool IsNotSilent(NodeSession session, TimeSpan now) => session.IsCondemned || session.ReceivedAgo(now) < _options.ProbeTime;
}
