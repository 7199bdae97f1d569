using Millrace.Network.Access;
using Millrace.Broker.Membership;
using Millrace.Network.Requests;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>DescribeCluster (key 60), v0–2.</summary>
/// <remarks>v1: brokers or controllers (KIP-919); controllers have no listener of their own here. v2: fenced brokers on request.</remarks>
internal sealed class DescribeClusterHandler(BrokerIdentity identity, IMetadataFeed feed)
    : IApiHandler<DescribeClusterRequest, DescribeClusterResponse>
{
    private const sbyte Brokers = 1;
    private const sbyte Controllers = 2;

    public static VersionRange Versions => new(0, 2);

    public void ReportErrors(DescribeClusterResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, DescribeClusterRequest request) => ErrorCode.None;

    public DescribeClusterResponse Refuse(RequestContext context, DescribeClusterRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

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
            ControllerId = SeenController.Of(image, identity.Node).Value,
            Brokers = [.. Describe(image.Nodes.Values.Where(node => node.IsLive || request.IncludeFencedBrokers), context.Connection.Listener)],
            ClusterAuthorizedOperations =
                request.IncludeClusterAuthorizedOperations ? AuthorizedOperations.OnCluster(context.Access) : AuthorizedOperations.Unknown,
        });
    }

    private static IEnumerable<DescribeClusterResponse.DescribeClusterBroker> Describe(IEnumerable<NodeImage> nodes, ListenerName listener)
    {
        foreach (var node in nodes)
        {
            if (node.EndpointOf(listener) is { } endpoint)
            {
                yield return new()
                {
                    BrokerId = node.Id.Value,
                    Host = endpoint.Host,
                    Port = endpoint.Port,
                    Rack = node.Rack,
                    IsFenced = !node.IsLive,
                };
            }
        }
    }
}
