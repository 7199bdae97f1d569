using Millrace.Controller.Messages;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Channel;
using Millrace.Protocol.Messages;

namespace Millrace.Controller.Clients;

/// <summary>Asking with the refusals of the layers below the channel's.</summary>
internal static class ChannelRefusals
{
    /// <exception cref="Millrace.Streams.StreamException">The request was refused as a whole.</exception>
    /// <exception cref="RegistrationException">It asks for a node id that cannot be had, or its times do not fit the others'.</exception>
    public static ValueTask<TResponse> AskAsync<TRequest, TResponse>(this IControllerChannel channel, TRequest request, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        TellAsync(channel.SendAsync<TRequest, TResponse>(request, token));

    /// <summary>An answer that is on its way. Everybody who waits for the same is told of a refusal in an exception of his own.</summary>
    /// <inheritdoc cref="AskAsync"/>
    public static async ValueTask<TResponse> TellAsync<TResponse>(ValueTask<TResponse> answer)
    {
        try
        {
            return await answer;
        }
        catch (ControllerException refusal)
        {
            throw Refusals.ToException(refusal.Error, refusal.Message, refusal);
        }
    }
}
