using Millrace.Broker.Access;
using Millrace.Broker.Requests;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>IncrementalAlterConfigs (key 44), v0–1: SET, DELETE, APPEND, SUBTRACT.</summary>
/// <remarks>Topics and brokers. Log levels (BROKER_LOGGER), groups and client metrics have no configs here: INVALID_REQUEST.</remarks>
internal sealed class IncrementalAlterConfigsHandler(ControllerDeeds deeds)
    : IApiHandler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>
{
    public static ApiVersionRange Versions => new(0, 1);

    public void ReportErrors(IncrementalAlterConfigsResponse response, ErrorTally errors)
    {
        foreach (var resource in response.Responses)
        {
            errors.Add(resource.ErrorCode);
        }
    }

    public ErrorCode Authorize(RequestContext context, IncrementalAlterConfigsRequest request) =>
        ConfigAccess.Authorize(
            context.Access, Operation.AlterConfigs, request.Resources.Select(resource => (resource.ResourceType, resource.ResourceName)));

    public IncrementalAlterConfigsResponse Refuse(RequestContext context, IncrementalAlterConfigsRequest request, ErrorCode error) =>
        new()
        {
            Responses =
            [
                .. request.Resources.Select(resource => new IncrementalAlterConfigsResponse.AlterConfigsResourceResponse
                {
                    ErrorCode = (short)error,
                    ResourceType = resource.ResourceType,
                    ResourceName = resource.ResourceName,
                }),
            ],
        };

    public async ValueTask<IncrementalAlterConfigsResponse> HandleAsync(RequestContext context, IncrementalAlterConfigsRequest request, CancellationToken token)
    {
        // The request carries no time-out.
        var response = await deeds.DoAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            request, RequestDeadline.LeastPatience, error => Refuse(context, request, error), token);
        deeds.TellChanged(context, request, response);
        return response;
    }
}
