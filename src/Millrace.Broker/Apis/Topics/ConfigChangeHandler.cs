using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Messages;

namespace Millrace.Broker.Apis.Topics;

/// <summary>What the two APIs that set configs have in common: who may, who does it, and that each resource has an answer of its own.</summary>
internal abstract class ConfigChangeHandler<TRequest, TResponse>(ControllerDeeds deeds)
    where TRequest : class, IRequest<TRequest>
    where TResponse : class, IResponse<TResponse>
{
    /// <summary>Does it, and tells the log.</summary>
    protected ControllerDeeds Deeds => deeds;

    public void ReportErrors(TResponse response, ErrorTally errors) => errors.Add(ErrorsIn(response));

    public ErrorCode Authorize(RequestContext context, TRequest request) =>
        ConfigAccess.Authorize(context.Access, Operation.AlterConfigs, ResourcesIn(request));

    public TResponse Refuse(RequestContext context, TRequest request, ErrorCode error) => Answer(ResourcesIn(request), error);

    public async ValueTask<TResponse> HandleAsync(RequestContext context, TRequest request, CancellationToken token)
    {
        // The request carries no time-out.
        var response = await deeds.DoAsync<TRequest, TResponse>(
            request, RequestDeadline.LeastPatience, error => Refuse(context, request, error), token);
        Tell(context, request, response);
        return response;
    }

    protected abstract IEnumerable<(sbyte Type, string Name)> ResourcesIn(TRequest request);

    protected abstract IEnumerable<short> ErrorsIn(TResponse response);

    /// <summary>One answer for all of them.</summary>
    protected abstract TResponse Answer(IEnumerable<(sbyte Type, string Name)> resources, ErrorCode error);

    /// <summary>Tells the log what was done.</summary>
    protected abstract void Tell(RequestContext context, TRequest request, TResponse response);
}
