using Millrace.Broker.Membership;
using Millrace.Controller;
using Millrace.Protocol;

namespace Millrace.Server.Composition;

/// <summary>The controller in this very process. It publishes an image before it answers, so this broker's image shows the deed.</summary>
internal sealed class InProcessController(ClusterController controller) : IControllerChannel
{
    public ValueTask<CreateTopicsResponse> CreateTopicsAsync(CreateTopicsRequest request, CancellationToken token) =>
        controller.CreateTopicsAsync(request, token);

    public ValueTask<DeleteTopicsResponse> DeleteTopicsAsync(DeleteTopicsRequest request, CancellationToken token) =>
        controller.DeleteTopicsAsync(request, token);

    public ValueTask<CreatePartitionsResponse> CreatePartitionsAsync(CreatePartitionsRequest request, CancellationToken token) =>
        controller.CreatePartitionsAsync(request, token);

    public ValueTask<IncrementalAlterConfigsResponse> IncrementalAlterConfigsAsync(IncrementalAlterConfigsRequest request, CancellationToken token) =>
        controller.IncrementalAlterConfigsAsync(request, token);

    public ValueTask<AlterConfigsResponse> AlterConfigsAsync(AlterConfigsRequest request, CancellationToken token) =>
        controller.AlterConfigsAsync(request, token);

    public ValueTask<AllocateProducerIdsResponse> AllocateProducerIdsAsync(AllocateProducerIdsRequest request, CancellationToken token) =>
        controller.AllocateProducerIdsAsync(request, token);
}
