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

    public ValueTask<IncrementalAlterConfigsResponse> HandleAsync(
        RequestContext context, IncrementalAlterConfigsRequest request, CancellationToken token) =>
        controller.IncrementalAlterConfigsAsync(request, token);
}
