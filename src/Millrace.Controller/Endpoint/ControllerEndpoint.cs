using Millrace.Controller.Messages;
using Millrace.Controller.State;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Controller.Endpoint;

/// <summary>
/// The controller's side of the channel: finds out by what a request is decided, judges whether this controller may still judge, and answers with the
/// version that the answer rests on. Its own node's requests pass the same as everybody's.
/// </summary>
/// <remarks>
/// Senders are judged where their request is decided, on the entry that is being put together, since that very entry may fence them.
/// Threading: any thread.
/// </remarks>
public sealed class ControllerEndpoint(NodeRuntime runtime, ClusterController controller, ClusterControllerOptions options) : IControllerLink
{
    private readonly RequestTable _requests = new(runtime, controller, options);

    /// <summary>A request from this process. The messages are handed over as they are.</summary>
    public ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        _requests.Find(TRequest.ApiKey) is RequestHandler<TRequest, TResponse> handler
            ? CallAsync(handler, request, known, token)
            : throw new ArgumentException($"The controller takes no {typeof(TRequest).Name}", nameof(request));

    /// <summary>A request as bytes (<see cref="ControllerFrames"/>); the answer in the same way.</summary>
    /// <exception cref="ProtocolException">The bytes are none of a request that is known here: whoever sent them is no node of this cluster.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ExchangeAsync(ReadOnlyMemory<byte> request, CancellationToken token)
    {
        var reader = new KafkaReader(request);
        var head = ControllerFrames.ReadHead(ref reader);
        var handler = _requests.Find((ApiKey)head.ApiKey) ?? throw new ProtocolException($"The controller takes no request with key {head.ApiKey}");
        return handler.ExchangeAsync(this, head, ref reader, token);
    }

    internal async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(
        RequestHandler<TRequest, TResponse> handler, TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var state = controller.State;
        if (controller.HasEnded || known > state.Cluster.Version)
        {
            // What its sender knows and it does not was written by a later one.
            return Refused<TResponse>(
                state, ControllerError.ControllerLost, $"This node is not the controller any more: it knows the metadata up to {state.Cluster.Version}");
        }

        try
        {
            if (handler.TryAnswer(state, request) is { } answer)
            {
                return new(state.Cluster.Version, ControllerError.None, null, answer);
            }

            var decided = await controller.DecideAsync(entry => handler.Decide(entry, request), token);
            if (decided.Refusal is { } refused && Refusals.ErrorOf(refused) is { } reason)
            {
                return new(decided.Version, reason, refused.Message, null);
            }

            var response = decided.Accepted();
            handler.OnCommitted(request, response);
            return new(decided.Version, ControllerError.None, null, response);
        }
        catch (Exception refusal) when (Refusals.ErrorOf(refusal) is { } error)
        {
            return Refused<TResponse>(state, error, refusal.Message);
        }
    }

    private static ControllerAnswer<TResponse> Refused<TResponse>(ClusterState state, ControllerError error, string message)
        where TResponse : class =>
        new(state.Cluster.Version, error, message, null);
}
