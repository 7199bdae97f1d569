using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>AlterConfigs (key 33), v0–2: the configs named become all that their resource has of its own.</summary>
/// <remarks>v2: flexible. As in IncrementalAlterConfigs, topics and brokers have configs. An internal topic keeps its cleanup.policy.</remarks>
internal sealed class AlterConfigsHandler(ControllerDeeds deeds)
    : ConfigChangeHandler<AlterConfigsRequest, AlterConfigsResponse>(deeds), IApiHandler<AlterConfigsRequest, AlterConfigsResponse>
{
    public static VersionRange Versions => new(0, 2);

    protected override IEnumerable<(sbyte Type, string Name)> ResourcesIn(AlterConfigsRequest request) =>
        request.Resources.Select(resource => (resource.ResourceType, resource.ResourceName));

    protected override IEnumerable<short> ErrorsIn(AlterConfigsResponse response) => response.Responses.Select(resource => resource.ErrorCode);

    protected override AlterConfigsResponse Answer(IEnumerable<(sbyte Type, string Name)> resources, ErrorCode error) => new()
    {
        Responses =
        [
            .. resources.Select(resource => new AlterConfigsResponse.AlterConfigsResourceResponse
            {
                ErrorCode = (short)error,
                ResourceType = resource.Type,
                ResourceName = resource.Name,
            }),
        ],
    };

    protected override void Tell(RequestContext context, AlterConfigsRequest request, AlterConfigsResponse response) =>
        Deeds.TellReplaced(context, request, response);
}
