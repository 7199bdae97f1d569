using Millrace.Broker.Errors;
using Millrace.Broker.Partitions.Producers;
using Millrace.Metadata.Channel;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;
using Millrace.Runtime;

namespace Millrace.Broker.Apis.Data;

/// <summary>InitProducerId (key 22), v0–5.</summary>
/// <remarks>
/// v3: the id and epoch the producer had, for transactional producers. v4, v5: other errors. v6 (two-phase commit) is unstable.
/// Deviation: transactions are not served yet. A transactional id gets the error that FindCoordinator gives it: the one that both
/// Java's client and librdkafka take as final there (the latter asks again after any that it does not know).
/// </remarks>
internal sealed class InitProducerIdHandler(NodeRuntime runtime, ProducerIdBlocks producerIds)
    : IApiHandler<InitProducerIdRequest, InitProducerIdResponse>
{
    // The request carries no timeout; this is less than any client waits for an answer.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static VersionRange Versions => new(0, 5);

    public void ReportErrors(InitProducerIdResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, InitProducerIdRequest request) =>
        request.TransactionalId is { } id ? context.Access.TransactionalId(Operation.Write, id) : context.Access.Cluster(Operation.IdempotentWrite);

    public InitProducerIdResponse Refuse(RequestContext context, InitProducerIdRequest request, ErrorCode error) => Failed(error);

    public async ValueTask<InitProducerIdResponse> HandleAsync(RequestContext context, InitProducerIdRequest request, CancellationToken token)
    {
        if (request.TransactionalId is { } transactionalId)
        {
            return Failed(transactionalId.Length == 0 ? ErrorCode.InvalidRequest : ErrorCode.TransactionalIdAuthorizationFailed);
        }

        if (request.ProducerId < 0 != request.ProducerEpoch < 0)
        {
            return Failed(ErrorCode.InvalidRequest);
        }

        using var deadline = new RequestDeadline(runtime, Patience, token);
        try
        {
            var (error, producerId) = await producerIds.NextAsync(deadline.Token);
            return error == ErrorCode.None ? new InitProducerIdResponse { ProducerId = producerId, ProducerEpoch = 0 } : Failed(error);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return Failed(KafkaErrorMap.ToErrorCodeOfProducerIds(ControllerError.Busy));
        }
        catch (ControllerException refusal)
        {
            return Failed(KafkaErrorMap.ToErrorCodeOfProducerIds(refusal.Error));
        }
    }

    private static InitProducerIdResponse Failed(ErrorCode error) => new() { ErrorCode = (short)error, ProducerId = -1, ProducerEpoch = -1 };
}
