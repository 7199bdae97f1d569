using Millrace.Broker.Apis.Topics;
using Millrace.Metadata;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>DescribeBalancer (key 10043), v0, of our own: what the cluster's balancer does and has done, as the controller knows it.</summary>
internal sealed class DescribeBalancerHandler(ControllerDeeds deeds) : IApiHandler<DescribeBalancerRequest, DescribeBalancerResponse>
{
    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(DescribeBalancerResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, DescribeBalancerRequest request) => context.Access.Cluster(Operation.Describe);

    public DescribeBalancerResponse Refuse(RequestContext context, DescribeBalancerRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public ValueTask<DescribeBalancerResponse> HandleAsync(RequestContext context, DescribeBalancerRequest request, CancellationToken token) =>
        deeds.DoAsync<DescribeBalancerRequest, DescribeBalancerResponse>(
            request, TimeSpan.FromMilliseconds(request.TimeoutMs), error => Refuse(context, request, error), token);
}
