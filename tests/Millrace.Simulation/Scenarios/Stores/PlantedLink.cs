using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;

namespace Millrace.Simulation.Scenarios.Stores;

/// <summary>A link with a mistake: that a controller is lost is taken for the end of whoever asked it.</summary>
internal sealed class PlantedLink(IControllerLink link) : IControllerLink
{
    public async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var answer = await link.CallAsync<TRequest, TResponse>(request, known, token);
        return answer.Error == ControllerError.ControllerLost ? answer with { Error = ControllerError.Fenced } : answer;
    }
}
