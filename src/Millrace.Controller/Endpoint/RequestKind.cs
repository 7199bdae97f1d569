using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Controller.Endpoint;

/// <summary>A kind of request that the controller takes.</summary>
internal abstract class RequestKind
{
    /// <summary>Reads a request whose head was read, has the endpoint answer it, and writes the answer.</summary>
    /// <exception cref="ProtocolException">The bytes are malformed, or of a version that has no schema here.</exception>
    public abstract ValueTask<ReadOnlyMemory<byte>> ExchangeAsync(
        ControllerEndpoint endpoint, ControllerRequestHead head, ref KafkaReader reader, CancellationToken token);
}

/// <inheritdoc cref="RequestKind"/>
internal sealed class RequestKind<TRequest, TResponse> : RequestKind
    where TRequest : class, IRequest<TRequest>
    where TResponse : class, IResponse<TResponse>
{
    /// <summary>Turns it into records and an answer, by the newest state.</summary>
    public required Func<PendingEntry, TRequest, TResponse> Decide { get; init; }

    /// <summary>Answers it from committed state without a place in the loop; null where it cannot be. The whole is null if none ever can.</summary>
    public Func<ClusterState, TRequest, TResponse?>? Answer { get; init; }

    /// <summary>Hears of what was done; null if nobody has to.</summary>
    public Action<TRequest, TResponse>? Committed { get; init; }

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
