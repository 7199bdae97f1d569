using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Millrace.Cluster.Peers;
using Millrace.Controller;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Streams.Registry;

namespace Millrace.Cluster.Liveness;

/// <summary>The controller's judgement of which nodes live. It fences those that do not, and thereby begins their failover.</summary>
/// <remarks>
/// Safety does not rest on it: whoever is fenced and lives finds its WAL sealed, and its requests refused. Every node has a whole session when a
/// controller begins. Threading: hearing by any thread, judging by loops of its own.
/// </remarks>
public sealed class NodeSessions
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly NodeRuntime _runtime;
    private readonly ClusterController _controller;
    private readonly PeerQuestions _questions;
    private readonly ClusterOptions _options;
    private readonly PeerAddress _self;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<NodeIncarnation, long> _heardAt = new();

    // Ticks of a clock that stands still while this process does: what it could not hear, nobody is blamed for.
    private long _now;

    /// <param name="runtime">Of this controller's term.</param>
    /// <param name="controller">Knows the nodes, and fences them.</param>
    /// <param name="questions">Finds out whether a silent node's process is gone.</param>
    /// <param name="options">The sessions.</param>
    /// <param name="self">This controller's own node: it lives as long as this does.</param>
    internal NodeSessions(NodeRuntime runtime, ClusterController controller, PeerQuestions questions, ClusterOptions options, PeerAddress self)
    {
        (_runtime, _controller, _questions, _options, _self) = (runtime, controller, questions, options, self);
        _logger = runtime.Loggers.CreateLogger<NodeSessions>();
    }

    /// <summary>A node lives.</summary>
    /// <returns>False if it is fenced, or has left.</returns>
    public bool Hear(NodeIncarnation node)
    {
        if (!(_controller.Metadata.Image.Nodes.TryGetValue(node.Node, out var known) && known.Epoch == node.Epoch && known.IsLive))
        {
            return false;
        }

        _heardAt[node] = Volatile.Read(ref _now);
        return true;
    }

    /// <summary>Judges until the term is over.</summary>
    internal async Task RunAsync(CancellationToken stopping)
    {
        // Each in a loop of its own: neither a question that a hanging node keeps waiting nor a slow log holds the clock, or whoever else is to be judged.
        _ = _runtime.Spawn("session-clock", CountAsync);
        _ = _runtime.Spawn("session-probes", ProbeAsync);
        while (true)
        {
            await Task.Delay(Tick, _runtime.Time, stopping);
            foreach (var (node, silence) in Silences())
            {
                if (silence >= _options.FenceTime)
                {
                    await FenceAsync(node, "it has been silent for too long", stopping);
                }
            }
        }
    }

    private async Task CountAsync(CancellationToken stopping)
    {
        while (true)
        {
            var began = _runtime.Time.GetTimestamp();
            await Task.Delay(Tick, _runtime.Time, stopping);
            var passed = _runtime.Time.GetElapsedTime(began);
            Volatile.Write(ref _now, _now + (passed < Tick * 2 ? passed : Tick * 2).Ticks);
        }
    }

    /// <summary>Looks for processes that are gone, which need not be waited for.</summary>
    private async Task ProbeAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(Tick, _runtime.Time, stopping);
            var suspects = Silences()
                .Where(found => found.Silence >= _options.ProbeTime && found.Node.Internal is not null)
                .Select(found => found.Node)
                .ToList();
            var answers = await _questions.AskAsync(suspects.Select(node => node.Internal!), stopping);
            for (var i = 0; i < suspects.Count; i++)
            {
                if (answers[i].Silence == PeerSilence.Gone)
                {
                    await FenceAsync(suspects[i], "its process is gone", stopping);
                }
            }
        }
    }

    /// <summary>How long each of the other live nodes has been silent. Whoever is seen for the first time has a whole session before it.</summary>
    private List<(NodeImage Node, TimeSpan Silence)> Silences()
    {
        var nodes = _controller.Metadata.Image.LiveNodes.Where(node => node.Internal != _self).ToList();
        foreach (var gone in _heardAt.Keys.Where(heard => !nodes.Any(node => node.Id == heard.Node && node.Epoch == heard.Epoch)))
        {
            _heardAt.TryRemove(gone, out _);
        }

        var now = Volatile.Read(ref _now);
        return [.. nodes.Select(node => (node, TimeSpan.FromTicks(now - _heardAt.GetOrAdd(new NodeIncarnation(node.Id, node.Epoch), now))))];
    }

    private async Task FenceAsync(NodeImage node, string cause, CancellationToken stopping)
    {
        ClusterMessages.Fences(_logger, node.Id, node.Epoch, cause);
        try
        {
            await _controller.FenceAsync(new NodeIncarnation(node.Id, node.Epoch), stopping);
        }
        catch (ControllerException refused)
        {
            // The term is over, or the log is slow: what is still true is found again.
            ClusterMessages.NotFenced(_logger, node.Id, refused.Message);
        }
    }
}
