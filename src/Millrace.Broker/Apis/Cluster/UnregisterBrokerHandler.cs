using Millrace.Broker.Apis.Topics;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>UnregisterBroker (key 64), v0: the cluster forgets a broker that is away.</summary>
/// <remarks>Deviation: a live one is refused, as is one whose WAL has not been recovered.</remarks>
internal sealed class UnregisterBrokerHandler(ControllerDeeds deeds) : IApiHandler<UnregisterBrokerRequest, UnregisterBrokerResponse>
{
    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(UnregisterBrokerResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, UnregisterBrokerRequest request) => context.Access.Cluster(Operation.Alter);

    public UnregisterBrokerResponse Refuse(RequestContext context, UnregisterBrokerRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public async ValueTask<UnregisterBrokerResponse> HandleAsync(RequestContext context, UnregisterBrokerRequest request, CancellationToken token)
    {
        var response = await deeds.DoAsync<UnregisterBrokerRequest, UnregisterBrokerResponse>(
            request, RequestDeadline.LeastPatience, error => Refuse(context, request, error), token);
        deeds.TellRemoved(context, request, response);
        return response;
    }
}
