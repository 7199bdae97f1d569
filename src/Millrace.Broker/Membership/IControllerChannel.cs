using Millrace.Protocol;

namespace Millrace.Broker.Membership;

/// <summary>
/// How a broker talks to the cluster's controller: in Kafka's own messages, whether it lives in this process or elsewhere.
/// The controller validates everything anew; what it answers is committed.
/// </summary>
/// <remarks>
/// Threading: any thread. Answers never depend on a version: a response's fields are all set, and the codec drops
/// what a client's version lacks. Errors: in the responses, per item, in request order.
/// When a call completes, the metadata image that this broker holds shows what it did.
/// </remarks>
public interface IControllerChannel
{
    ValueTask<CreateTopicsResponse> CreateTopicsAsync(CreateTopicsRequest request, CancellationToken token);

    /// <param name="request">Topics by name or id in <c>Topics</c>; <c>TopicNames</c> is not looked at.</param>
    /// <param name="token">Ends the wait, not the deed.</param>
    ValueTask<DeleteTopicsResponse> DeleteTopicsAsync(DeleteTopicsRequest request, CancellationToken token);

    ValueTask<CreatePartitionsResponse> CreatePartitionsAsync(CreatePartitionsRequest request, CancellationToken token);

    ValueTask<IncrementalAlterConfigsResponse> IncrementalAlterConfigsAsync(IncrementalAlterConfigsRequest request, CancellationToken token);

    /// <summary>The configs named become all that their resource has of its own.</summary>
    ValueTask<AlterConfigsResponse> AlterConfigsAsync(AlterConfigsRequest request, CancellationToken token);

    /// <summary>Hands this incarnation a block of producer ids that nobody ever had.</summary>
    ValueTask<AllocateProducerIdsResponse> AllocateProducerIdsAsync(AllocateProducerIdsRequest request, CancellationToken token);
}
