using Millrace.Controller.Messages;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Channel;
using Millrace.Protocol.Messages;

namespace Millrace.Controller.Clients;

/// <summary>Asking with the refusals of the layers below the channel's.</summary>
internal static class ChannelRefusals
{
    /// <exception cref="Millrace.Streams.StreamException">The request was refused as a whole.</exception>
    /// <exception cref="NodeIdException">It asks for a node id that cannot be had.</exception>
    public static async ValueTask<TResponse> AskAsync<TRequest, TResponse>(this IControllerChannel channel, TRequest request, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        try
        {
            return await channel.SendAsync<TRequest, TResponse>(request, token);
        }
        catch (ControllerException refusal)
        {
            throw Refusals.ToException(refusal.Error, refusal.Message, refusal);
        }
    }
}
