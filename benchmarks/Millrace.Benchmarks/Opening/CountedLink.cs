using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;

namespace Millrace.Benchmarks.Opening;

/// <summary>The way to a controller, with the requests counted.</summary>
internal sealed class CountedLink(IControllerLink inner) : IControllerLink
{
    private long _requests;

    public long Requests => Interlocked.Read(ref _requests);

    public ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        Interlocked.Increment(ref _requests);
        return inner.CallAsync<TRequest, TResponse>(request, known, token);
    }
}
