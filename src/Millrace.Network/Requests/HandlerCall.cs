using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Network.Requests;

/// <summary>A call that a handler serves, if its sender may have it.</summary>
internal sealed class HandlerCall<TRequest, TResponse>(IApiHandler<TRequest, TResponse> handler, IThrottle throttle, TRequest request) : RequestCall
    where TRequest : class, IRequest<TRequest>
    where TResponse : class, IResponse<TResponse>
{
    private TResponse? _response;

    public override void WriteResponse(ref KafkaWriter writer) => _response!.Write(ref writer, ApiVersion);

    public override void ReportErrors(ErrorTally errors) => handler.ReportErrors(_response!, errors);

    protected override async Task HandleAsync(CancellationToken token)
    {
        try
        {
            var refusal = Access.IsUnrestricted ? ErrorCode.None : handler.Authorize(this, request);
            Pause = throttle.Charge(this);
            _response = refusal == ErrorCode.None ? await handler.HandleAsync(this, request, token) : handler.Refuse(this, request, refusal);
            if (Pause > TimeSpan.Zero && _response is IThrottledResponse throttled)
            {
                throttled.ThrottleTimeMs = (int)Math.Min(Pause.TotalMilliseconds, int.MaxValue);
            }
        }
        finally
        {
            // An answer that holds memory is written first: else a client that asks and does not listen would hold as many as it may ask for.
            if (!HoldsMemory)
            {
                AllowNext();
            }
        }
    }
}
