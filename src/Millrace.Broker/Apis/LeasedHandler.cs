using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;
using Millrace.Protocol.Messages;

namespace Millrace.Broker.Apis;

/// <summary>
/// Gives a handler's answers only while this broker holds its lease, which is looked at when the answer is complete. Without it the answer is parked, as long
/// as its client lets it wait, and then refused with an error upon which clients ask anew whom to ask.
/// </summary>
/// <param name="broker">Whose lease counts.</param>
/// <param name="refusal">What is said when no lease has come.</param>
/// <param name="handler">Makes the answers.</param>
/// <param name="patience">How long a client lets its request wait; null where requests do not say.</param>
internal sealed class LeasedHandler<THandler, TRequest, TResponse>(
    BrokerComponents broker, ErrorCode refusal, THandler handler, Func<TRequest, TimeSpan>? patience) : IApiHandler<TRequest, TResponse>
    where THandler : IApiHandler<TRequest, TResponse>
    where TRequest : class, IRequest<TRequest>
    where TResponse : class, IResponse<TResponse>
{
    public static VersionRange Versions => THandler.Versions;

    public static bool OutlivesConnection => THandler.OutlivesConnection;

    public void ReportErrors(TResponse response, ErrorTally errors) => handler.ReportErrors(response, errors);

    public ErrorCode Authorize(RequestContext context, TRequest request) => handler.Authorize(context, request);

    public TResponse Refuse(RequestContext context, TRequest request, ErrorCode error) => handler.Refuse(context, request, error);

    public ValueTask<TResponse> HandleAsync(RequestContext context, TRequest request, CancellationToken token)
    {
        var answer = handler.HandleAsync(context, request, token);
        return answer.IsCompletedSuccessfully && broker.Lease.IsHeld ? answer : UnderLeaseAsync(context, request, answer, token);
    }

    private async ValueTask<TResponse> UnderLeaseAsync(RequestContext context, TRequest request, ValueTask<TResponse> answering, CancellationToken token)
    {
        var began = broker.Runtime.Time.GetTimestamp();
        var answer = await answering;
        if (broker.Lease.IsHeld)
        {
            return answer;
        }

        var left = (patience?.Invoke(request) ?? RequestDeadline.LeastPatience) - broker.Runtime.Time.GetElapsedTime(began);
        return await broker.Lease.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, token) ? answer : handler.Refuse(context, request, refusal);
    }
}
