using Millrace.Cluster.Seat;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Cluster.Serving;

/// <summary>CallController: hands a node's request to the controller in this process.</summary>
/// <remarks>
/// The next request of the connection begins at once: the controller's loop has them in the order they came, and answers leave in that order.
/// </remarks>
internal sealed class CallControllerHandler(LocalSeat seat) : IApiHandler<CallControllerRequest, CallControllerResponse>
{
    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(CallControllerResponse response, ErrorTally errors) =>
        errors.Add((short)(response.IsController ? ErrorCode.None : ErrorCode.NotController));

    public ErrorCode Authorize(RequestContext context, CallControllerRequest request) => ErrorCode.None;

    public CallControllerResponse Refuse(RequestContext context, CallControllerRequest request, ErrorCode error) => new();

    public async ValueTask<CallControllerResponse> HandleAsync(RequestContext context, CallControllerRequest request, CancellationToken token)
    {
        if (await seat.FindAsync(request.ControllerId, token) is not { } local)
        {
            return new CallControllerResponse();
        }

        var answer = local.Endpoint.ExchangeAsync(request.Message, token);
        context.AllowNext();
        return new CallControllerResponse { IsController = true, Message = await answer };
    }
}
