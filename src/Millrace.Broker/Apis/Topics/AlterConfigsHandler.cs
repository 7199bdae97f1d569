using Millrace.Broker.Requests;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>AlterConfigs (key 33), v0–2: the configs named become all that their resource has of its own.</summary>
/// <remarks>v2: flexible. As in IncrementalAlterConfigs, topics and brokers have configs. An internal topic keeps its cleanup.policy.</remarks>
internal sealed class AlterConfigsHandler(IControllerChannel controller) : IApiHandler<AlterConfigsRequest, AlterConfigsResponse>
{
    public static ApiVersionRange Versions => new(0, 2);

    public void ReportErrors(AlterConfigsResponse response, ErrorTally errors)
    {
        foreach (var resource in response.Responses)
        {
            errors.Add(resource.ErrorCode);
        }
    }

    public ValueTask<AlterConfigsResponse> HandleAsync(RequestContext context, AlterConfigsRequest request, CancellationToken token) =>
        controller.AlterConfigsAsync(request, token);
}
