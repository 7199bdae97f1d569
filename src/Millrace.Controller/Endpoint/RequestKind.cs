using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Controller.Endpoint;

/// <summary>What the endpoint knows of one kind of request.</summary>
internal abstract class RequestHandler
{
    /// <summary>Reads a request whose head was read, and answers it in bytes.</summary>
    /// <exception cref="ProtocolException">The bytes are malformed, or of a version that has no schema here.</exception>
    public abstract ValueTask<ReadOnlyMemory<byte>> ExchangeAsync(
        ControllerEndpoint endpoint, ControllerRequestHead head, ref KafkaReader reader, CancellationToken token);
}

/// <inheritdoc cref="RequestHandler"/>
/// <param name="decide">Turns it into records and an answer, by the newest state.</param>
/// <param name="answer">Answers it from committed state without a place in the loop; null where it cannot be. The whole is null if none ever can.</param>
/// <param name="committed">Hears of what was done.</param>
internal sealed class RequestHandler<TRequest, TResponse>(
    Func<PendingEntry, TRequest, TResponse> decide, Func<ClusterState, TRequest, TResponse?>? answer = null, Action<TRequest, TResponse>? committed = null)
    : RequestHandler
    where TRequest : class, IRequest<TRequest>
    where TResponse : class, IResponse<TResponse>
{
    public TResponse Decide(PendingEntry entry, TRequest request) => decide(entry, request);

    public TResponse? TryAnswer(ClusterState state, TRequest request) => answer?.Invoke(state, request);

    public void OnCommitted(TRequest request, TResponse response) => committed?.Invoke(request, response);

    public override ValueTask<ReadOnlyMemory<byte>> ExchangeAsync(
        ControllerEndpoint endpoint, ControllerRequestHead head, ref KafkaReader reader, CancellationToken token)
    {
        var request = TRequest.Read(ref reader, head.ApiVersion);
        reader.ExpectEnd();
        return AnswerAsync(endpoint, request, head, token);
    }

    private async ValueTask<ReadOnlyMemory<byte>> AnswerAsync(
        ControllerEndpoint endpoint, TRequest request, ControllerRequestHead head, CancellationToken token) =>
        ControllerFrames.Write(
            await endpoint.CallAsync(this, request, new MetadataVersion(head.VersionTerm, head.VersionIndex), token), head.ApiVersion);
}
