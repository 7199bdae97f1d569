using System.Globalization;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>ListConfigResources (key 74), v0–1: what configs can be set on.</summary>
/// <remarks>
/// v0 asks for client metrics alone. v1 asks by type; no type asks for all. Groups and client metrics have no configs here, so there are
/// none of them.
/// </remarks>
internal sealed class ListConfigResourcesHandler(IMetadataFeed feed) : IApiHandler<ListConfigResourcesRequest, ListConfigResourcesResponse>
{
    private static readonly sbyte[] ClientMetricsOnly = [(sbyte)ConfigResourceType.ClientMetrics];
    private static readonly sbyte[] AllTypes = [.. Enum.GetValues<ConfigResourceType>().Select(type => (sbyte)type)];

    public static VersionRange Versions => new(0, 1);

    public void ReportErrors(ListConfigResourcesResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, ListConfigResourcesRequest request) => context.Access.Cluster(Operation.DescribeConfigs);

    public ListConfigResourcesResponse Refuse(RequestContext context, ListConfigResourcesRequest request, ErrorCode error) =>
        new() { ErrorCode = (short)error };

    public ValueTask<ListConfigResourcesResponse> HandleAsync(RequestContext context, ListConfigResourcesRequest request, CancellationToken token)
    {
        var wanted = context.ApiVersion == 0 ? ClientMetricsOnly : request.ResourceTypes.Count == 0 ? AllTypes : request.ResourceTypes;
        return ValueTask.FromResult(wanted.All(AllTypes.Contains)
            ? new ListConfigResourcesResponse { ConfigResources = [.. wanted.Distinct().SelectMany(type => List(feed.Image, type))] }
            : new ListConfigResourcesResponse { ErrorCode = (short)ErrorCode.UnsupportedVersion });
    }

    private static IEnumerable<ListConfigResourcesResponse.ConfigResource> List(MetadataImage image, sbyte type)
    {
        IEnumerable<string> names = (ConfigResourceType)type switch
        {
            ConfigResourceType.Topic => image.Topics.Keys,
            ConfigResourceType.Broker or ConfigResourceType.BrokerLogger =>
                image.LiveNodes.Select(node => node.Id.Value.ToString(CultureInfo.InvariantCulture)),
            _ => [],
        };
        return names.Select(name => new ListConfigResourcesResponse.ConfigResource { ResourceName = name, ResourceType = type });
    }
}
