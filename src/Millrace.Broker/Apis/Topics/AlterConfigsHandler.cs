using Millrace.Broker.Access;
using Millrace.Broker.Requests;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>AlterConfigs (key 33), v0–2: the configs named become all that their resource has of its own.</summary>
/// <remarks>v2: flexible. As in IncrementalAlterConfigs, topics and brokers have configs. An internal topic keeps its cleanup.policy.</remarks>
internal sealed class AlterConfigsHandler(ControllerDeeds deeds)
    : IApiHandler<AlterConfigsRequest, AlterConfigsResponse>
{
    public static ApiVersionRange Versions => new(0, 2);

    public void ReportErrors(AlterConfigsResponse response, ErrorTally errors)
    {
        foreach (var resource in response.Responses)
        {
            errors.Add(resource.ErrorCode);
        }
    }

    public ErrorCode Authorize(RequestContext context, AlterConfigsRequest request) =>
        ConfigAccess.Authorize(
            context.Access, Operation.AlterConfigs, request.Resources.Select(resource => (resource.ResourceType, resource.ResourceName)));

    public AlterConfigsResponse Refuse(RequestContext context, AlterConfigsRequest request, ErrorCode error) =>
        new()
        {
            Responses =
            [
                .. request.Resources.Select(resource => new AlterConfigsResponse.AlterConfigsResourceResponse
                {
                    ErrorCode = (short)error,
                    ResourceType = resource.ResourceType,
                    ResourceName = resource.ResourceName,
                }),
            ],
        };

    public async ValueTask<AlterConfigsResponse> HandleAsync(RequestContext context, AlterConfigsRequest request, CancellationToken token)
    {
        // The request carries no time-out.
        var response = await deeds.DoAsync<AlterConfigsRequest, AlterConfigsResponse>(
            request, RequestDeadline.LeastPatience, error => Refuse(context, request, error), token);
        deeds.TellReplaced(context, request, response);
        return response;
    }
}
