using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;

namespace Millrace.Tests.Controller.Clients;

/// <summary>The way to a controller, with the requests counted; a test may hold them back.</summary>
internal sealed class CountedLink(IControllerLink inner) : IControllerLink
{
    private long _requests;

    public long Requests => Interlocked.Read(ref _requests);

    /// <summary>Called before each request; may wait or throw.</summary>
    public Func<CancellationToken, ValueTask> Before { get; set; } = _ => default;

    public async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        Interlocked.Increment(ref _requests);
        await Before(token);
        return await inner.CallAsync<TRequest, TResponse>(request, known, token);
    }
}
