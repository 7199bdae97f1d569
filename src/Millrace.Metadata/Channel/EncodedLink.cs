using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;

namespace Millrace.Metadata.Channel;

/// <summary>A link whose requests and answers pass as bytes, so that whatever a message does not carry does not arrive.</summary>
/// <param name="exchange">Takes a request's bytes to a controller, and brings the answer's back.</param>
public sealed class EncodedLink(Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<ReadOnlyMemory<byte>>> exchange) : IControllerLink
{
    public async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(
        TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        ControllerFrames.ReadAnswer<TResponse>(await exchange(ControllerFrames.Write(request, known), token), TRequest.Versions.Max);
}
