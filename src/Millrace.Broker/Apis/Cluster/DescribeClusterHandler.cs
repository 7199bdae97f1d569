using Millrace.Broker.Requests;
using Millrace.Metadata.Image;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>DescribeCluster (key 60), v0–2.</summary>
/// <remarks>v1: brokers or controllers (KIP-919); controllers have no listener of their own here. v2: fenced brokers on request.</remarks>
internal sealed class DescribeClusterHandler(BrokerIdentity identity, IMetadataFeed feed)
    : IApiHandler<DescribeClusterRequest, DescribeClusterResponse>
{
    private const sbyte Brokers = 1;
    private const sbyte Controllers = 2;

    public static ApiVersionRange Versions => new(0, 2);

    public void ReportErrors(DescribeClusterResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ValueTask<DescribeClusterResponse> HandleAsync(RequestContext context, DescribeClusterRequest request, CancellationToken token)
    {
        var image = feed.Image;
        if (request.EndpointType != Brokers)
        {
            return ValueTask.FromResult(new DescribeClusterResponse
            {
                ErrorCode = (short)(request.EndpointType == Controllers ? ErrorCode.MismatchedEndpointType : ErrorCode.UnsupportedEndpointType),
                ErrorMessage = "This listener serves brokers.",
                EndpointType = request.EndpointType,
                ClusterId = image.ClusterId,
            });
        }

        return ValueTask.FromResult(new DescribeClusterResponse
        {
            ClusterId = image.ClusterId,
            ControllerId = MetadataHandler.ControllerOf(image, identity.Node).Value,
            Brokers = [.. image.Nodes.Values.Where(node => node.IsLive || request.IncludeFencedBrokers).Select(Describe)],
            ClusterAuthorizedOperations =
                request.IncludeClusterAuthorizedOperations ? AuthorizedOperations.Cluster : AuthorizedOperations.Unknown,
        });
    }

    private static DescribeClusterResponse.DescribeClusterBroker Describe(NodeImage node) => new()
    {
        BrokerId = node.Id.Value,
        Host = node.Host,
        Port = node.Port,
        Rack = node.Rack,
        IsFenced = !node.IsLive,
    };
}
