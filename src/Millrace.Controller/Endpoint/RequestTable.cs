using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime;

namespace Millrace.Controller.Endpoint;

/// <summary>Every request that a controller takes, by its key, and what decides it.</summary>
internal sealed class RequestTable
{
    private readonly FrozenDictionary<ApiKey, RequestHandler> _handlers;

    public RequestTable(NodeRuntime runtime, ClusterController controller, ClusterControllerOptions options)
    {
        // Defaults come from this node's settings and what is set for all; what is set for single nodes does not count here.
        var configs = new ConfigResolver(MetadataImage.AllBrokers, options.Settings);
        var creation = new TopicCreation(configs, runtime.Random);
        var deletion = new TopicDeletion(configs.Broker(MetadataImage.Empty, BrokerConfigs.DeleteTopicEnable).AsBoolean());
        var changes = new ConfigChanges(configs);
        var replacement = new ConfigReplacement(changes);
        var nodes = new NodeRequests(controller, runtime.Loggers.CreateLogger<ControllerEndpoint>());

        _handlers = new Dictionary<ApiKey, RequestHandler>
        {
            [CreateTopicsRequest.ApiKey] = For<CreateTopicsRequest, CreateTopicsResponse>(creation.Create),
            [DeleteTopicsRequest.ApiKey] = For<DeleteTopicsRequest, DeleteTopicsResponse>(deletion.Delete),
            [CreatePartitionsRequest.ApiKey] = For<CreatePartitionsRequest, CreatePartitionsResponse>(PartitionCreation.Create),
            [AlterConfigsRequest.ApiKey] = For<AlterConfigsRequest, AlterConfigsResponse>(replacement.Replace),
            [IncrementalAlterConfigsRequest.ApiKey] = For<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(changes.Alter),
            [AllocateProducerIdsRequest.ApiKey] = For<AllocateProducerIdsRequest, AllocateProducerIdsResponse>(ProducerIds.Allocate),
            [RegisterNodeRequest.ApiKey] = new RequestHandler<RegisterNodeRequest, RegisterNodeResponse>(nodes.Register, committed: nodes.OnRegistered),
            [LeaveNodeRequest.ApiKey] = For<LeaveNodeRequest, LeaveNodeResponse>(NodeRequests.Leave),
            [AssignPartitionsRequest.ApiKey] = For<AssignPartitionsRequest, AssignPartitionsResponse>(NodeRequests.Assign),
            [RegisterWalRequest.ApiKey] = For<RegisterWalRequest, RegisterWalResponse>(WalRequests.Register),
            [ListWalsRequest.ApiKey] = For<ListWalsRequest, ListWalsResponse>(WalRequests.List),
            [ForgetWalsRequest.ApiKey] = For<ForgetWalsRequest, ForgetWalsResponse>(WalRequests.Forget),
            [CompleteRecoveryRequest.ApiKey] = For<CompleteRecoveryRequest, CompleteRecoveryResponse>(WalRequests.Complete),
            [AcceptLossRequest.ApiKey] = new RequestHandler<AcceptLossRequest, AcceptLossResponse>(WalRequests.AcceptLoss, committed: nodes.OnLossAccepted),
            [StreamOpsRequest.ApiKey] = new RequestHandler<StreamOpsRequest, StreamOpsResponse>(StreamRequests.Decide, StreamRequests.TryAnswer),
        }.ToFrozenDictionary();
    }

    /// <summary>Null for a request that no controller takes.</summary>
    public RequestHandler? Find(ApiKey key) => _handlers.GetValueOrDefault(key);

    private static RequestHandler<TRequest, TResponse> For<TRequest, TResponse>(Func<PendingEntry, TRequest, TResponse> decide)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        new(decide);
}
