using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Millrace.Controller;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Streams.Registry;

namespace Millrace.Cluster.Liveness;

/// <summary>Gives nodes up, for causes that others have found, and remembers why.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class Fences(NodeRuntime runtime, ClusterController controller, Failovers failovers)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<Fences>();
    private readonly ConcurrentDictionary<NodeIncarnation, NodeSession> _forSilence = new();

    /// <summary>Fences a node that is silent, gone or cut off from the store. What the log refuses is tried again by whoever finds the cause again.</summary>
    public async Task FenceAsync(NodeImage node, NodeSession session, LossCause cause, CancellationToken stopping)
    {
        var incarnation = new NodeIncarnation(node.Id, node.Epoch);
        ClusterMessages.Fences(_logger, node.Id, node.Epoch, Text(cause));
        if (cause == LossCause.Silent)
        {
            _forSilence[incarnation] = session;
        }

        try
        {
            failovers.Announce(incarnation, cause);
            await controller.FenceAsync(incarnation, stopping);
        }
        catch (ControllerException refused)
        {
            // The term is over, or the log is slow: only in that case was nothing done.
            if (refused.Error == ControllerError.Busy)
            {
                session.GoOn();
            }

            ClusterMessages.NotFenced(_logger, node.Id, refused.Message);
        }
        finally
        {
            failovers.Withdraw(incarnation);
        }
    }

    /// <summary>Whether an incarnation that is heard again would not have been fenced with more patience. Said once.</summary>
    /// <param name="node">The incarnation.</param>
    /// <param name="now">By the clock of the sessions.</param>
    /// <param name="patience">How much: whose silence was longer was rightly given up.</param>
    public bool WasWrong(NodeIncarnation node, TimeSpan now, TimeSpan patience)
    {
        if (!_forSilence.TryRemove(node, out var session) || session.ReceivedAgo(now) >= patience)
        {
            return false;
        }

        ClusterMessages.FencedWrongly(_logger, node.Node, node.Epoch);
        return true;
    }

    private static string Text(LossCause cause) => cause switch
    {
        LossCause.Silent => "it has been silent for too long",
        LossCause.Gone => "its process is gone",
        LossCause.CutFromStore => "it does not reach the store, and others do",
        _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "Nobody is given up for that"),
    };
}
