using System.Net.Sockets;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Server.Transport;

namespace Millrace.Server.Composition;

/// <summary>Asks a broker over TCP for its cluster's id, as any client would.</summary>
internal sealed class SocketPeerProbe(NodeRuntime runtime) : IPeerProbe
{
    private const short Version = 9;

    // A broker that is alive answers within milliseconds; a paused or dead one never does.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public async ValueTask<bool> AnswersAsync(string host, int port, string clusterId, CancellationToken token)
    {
        using var timeout = new CancellationTokenSource(Patience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, token);
        try
        {
            using var peer = await PeerConnection.OpenAsync(host, port, "millrace-start", either.Token);
            var answer = await peer.AskAsync<MetadataRequest, MetadataResponse>(new() { Topics = [], AllowAutoTopicCreation = false }, Version, either.Token);
            return answer.ClusterId == clusterId;
        }
        catch (Exception silence) when (silence is SocketException or IOException or ProtocolException
            || (silence is OperationCanceledException && !token.IsCancellationRequested))
        {
            return false;
        }
    }
}
