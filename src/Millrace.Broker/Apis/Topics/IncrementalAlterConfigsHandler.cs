using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>IncrementalAlterConfigs (key 44), v0–1: SET, DELETE, APPEND, SUBTRACT.</summary>
/// <remarks>Topics and brokers. Log levels (BROKER_LOGGER), groups and client metrics have no configs here: INVALID_REQUEST.</remarks>
internal sealed class IncrementalAlterConfigsHandler(ControllerDeeds deeds)
    : ConfigChangeHandler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(deeds),
      IApiHandler<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>
{
    public static VersionRange Versions => new(0, 1);

    protected override IEnumerable<(sbyte Type, string Name)> ResourcesIn(IncrementalAlterConfigsRequest request) =>
        request.Resources.Select(resource => (resource.ResourceType, resource.ResourceName));

    protected override IEnumerable<short> ErrorsIn(IncrementalAlterConfigsResponse response) =>
        response.Responses.Select(resource => resource.ErrorCode);

    protected override IncrementalAlterConfigsResponse Answer(IEnumerable<(sbyte Type, string Name)> resources, ErrorCode error) => new()
    {
        Responses =
        [
            .. resources.Select(resource => new IncrementalAlterConfigsResponse.AlterConfigsResourceResponse
            {
                ErrorCode = (short)error,
                ResourceType = resource.Type,
                ResourceName = resource.Name,
            }),
        ],
    };

    protected override void Tell(RequestContext context, IncrementalAlterConfigsRequest request, IncrementalAlterConfigsResponse response) =>
        Deeds.TellChanged(context, request, response);
}
