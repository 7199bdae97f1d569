using Millrace.Broker.Access;
using Millrace.Broker.Membership;
using Millrace.Broker.Requests;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>IncrementalAlterConfigs (key 44), v0–1: SET, DELETE, APPEND, SUBTRACT.</summary>
/// <remarks>Topics and brokers. Log levels (BROKER_LOGGER), groups and client metrics have no configs here: INVALID_REQUEST.</remarks>
internal sealed class IncrementalAlterConfigsHandler(IControllerChannel controller)
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

    public ValueTask<IncrementalAlterConfigsResponse> HandleAsync(
        RequestContext context, IncrementalAlterConfigsRequest request, CancellationToken token) =>
        controller.IncrementalAlterConfigsAsync(request, token);
}
