using Millrace.Broker.Apis.Topics;
using Millrace.Metadata;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>DescribeScaler (key 10044), v0, of our own: how many brokers there are and should be, as the controller knows it.</summary>
internal sealed class DescribeScalerHandler(ControllerDeeds deeds) : IApiHandler<DescribeScalerRequest, DescribeScalerResponse>
{
    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(DescribeScalerResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, DescribeScalerRequest request) => context.Access.Cluster(Operation.Describe);

    public DescribeScalerResponse Refuse(RequestContext context, DescribeScalerRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public ValueTask<DescribeScalerResponse> HandleAsync(RequestContext context, DescribeScalerRequest request, CancellationToken token) =>
        deeds.DoAsync<DescribeScalerRequest, DescribeScalerResponse>(
            request, TimeSpan.FromMilliseconds(request.TimeoutMs), error => Refuse(context, request, error), token);
}
