using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Millrace.Metadata.Image;
using Millrace.Network.Links;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Cluster.Peers;

/// <summary>Asks other nodes what they see of the cluster, all at once.</summary>
internal sealed class PeerQuestions(NodeRuntime runtime, IConnectionFactory peers, string self)
{
    /// <summary>A node that is well answers within a few milliseconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    /// <returns>For each node its answer; null of one that does not answer.</returns>
    public async Task<IReadOnlyList<(PeerSilence Silence, PeerViewResponse? View)>> AskAsync(IEnumerable<PeerAddress> nodes, CancellationToken token)
    {
        var asking = nodes.Select(node => AskAsync(node, token)).ToList();
        var answers = new List<(PeerSilence, PeerViewResponse?)>();
        foreach (var answer in asking)
        {
            answers.Add(await answer);
        }

        return answers;
    }

    private async Task<(PeerSilence Silence, PeerViewResponse? View)> AskAsync(PeerAddress node, CancellationToken token)
    {
        using var patience = new CancellationTokenSource(Patience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        try
        {
            await using var connection = new PeerConnection(
                runtime, await peers.ConnectAsync(new DnsEndPoint(node.Host, node.Port), either.Token), $"{self}-view");
            return (PeerSilence.None, await connection.CallAsync<PeerViewRequest, PeerViewResponse>(new PeerViewRequest(), either.Token));
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return (PeerSilence.Gone, null);
        }
        catch (Exception silence) when (silence is IOException or SocketException or ProtocolException
            || (silence is OperationCanceledException && !token.IsCancellationRequested))
        {
            return (PeerSilence.Silent, null);
        }
    }
}
