using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Broker.Requests;

/// <summary>A call that a handler serves.</summary>
internal sealed class HandlerCall<TRequest, TResponse>(IApiHandler<TRequest, TResponse> handler, TRequest request) : RequestCall
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
            _response = await handler.HandleAsync(this, request, token);
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
