using Millrace.Metadata.Channel;
using Millrace.Network.Links;

namespace Millrace.Cluster.Following;

/// <summary>The way to a controller in another process: each request as bytes, in a call of a connection.</summary>
internal static class RemoteController
{
    /// <param name="connection">To the controller.</param>
    /// <param name="id">As the seal of the metadata log names it.</param>
    /// <exception cref="IOException">Of every call, when the connection is lost.</exception>
    public static IControllerLink Over(PeerConnection connection, Guid id) =>
        new EncodedLink(async (request, token) =>
        {
            var response = await connection.CallAsync<CallControllerRequest, CallControllerResponse>(new() { ControllerId = id, Message = request }, token);
            return response is { IsController: true, Message: { } answer }
                ? answer
                : throw new IOException("the node that was it is none any more");
        });
}
