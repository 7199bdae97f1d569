using Millrace.Broker.Apis.Cluster;
using Millrace.Broker.Apis.Data;
using Millrace.Broker.Apis.Groups;
using Millrace.Broker.Apis.Topics;
using Millrace.Broker.Partitions.Intake;
using Millrace.Broker.Partitions.Producers;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Messages;

namespace Millrace.Broker.Apis;

/// <summary>Every API that is served. What is not in it is not advertised, and refused by the <see cref="RequestPipeline"/>.</summary>
internal static class ApiTable
{
    /// <summary>Lists every handler.</summary>
    public static IReadOnlyList<ApiEntry> Create(BrokerComponents broker)
    {
        var deeds = new ControllerDeeds(broker.Runtime, broker.Controller);
        return With(new ApiVersionsHandler(broker.Metadata),
        [
            ApiEntry.For<ProduceHandler, ProduceRequest, ProduceResponse>(
                new(broker.Runtime, broker.Partitions, new BatchIntake(broker.Buffers), broker.Metrics, broker.Lease, broker.Racks)),
            Leased<FetchHandler, FetchRequest, FetchResponse>(
                broker, ErrorCode.NotLeaderOrFollower,
                new(broker.Runtime, broker.Partitions, broker.Fetches, broker.FetchLimit, broker.Metrics, broker.Racks),
                FetchHandler.PatienceOf),
            Leased<ListOffsetsHandler, ListOffsetsRequest, ListOffsetsResponse>(
                broker, ErrorCode.NotLeaderOrFollower, new(broker.Runtime, broker.Partitions), ListOffsetsHandler.PatienceOf),
            ApiEntry.For<MetadataHandler, MetadataRequest, MetadataResponse>(new(broker.Identity, broker.Metadata, broker.Departed, deeds)),
            ApiEntry.For<OffsetCommitHandler, OffsetCommitRequest, OffsetCommitResponse>(new(broker.Metadata, broker.Groups)),
            Leased<OffsetFetchHandler, OffsetFetchRequest, OffsetFetchResponse>(broker, ErrorCode.NotCoordinator, new(broker.Metadata, broker.Groups)),
            ApiEntry.For<FindCoordinatorHandler, FindCoordinatorRequest, FindCoordinatorResponse>(
                new(broker.Identity, broker.Metadata, deeds)),
            ApiEntry.For<JoinGroupHandler, JoinGroupRequest, JoinGroupResponse>(new(broker.Groups)),
            Leased<HeartbeatHandler, HeartbeatRequest, HeartbeatResponse>(broker, ErrorCode.NotCoordinator, new(broker.Groups)),
            ApiEntry.For<LeaveGroupHandler, LeaveGroupRequest, LeaveGroupResponse>(new(broker.Groups)),
            Leased<SyncGroupHandler, SyncGroupRequest, SyncGroupResponse>(broker, ErrorCode.NotCoordinator, new(broker.Groups)),
            Leased<DescribeGroupsHandler, DescribeGroupsRequest, DescribeGroupsResponse>(broker, ErrorCode.NotCoordinator, new(broker.Groups)),
            Leased<ListGroupsHandler, ListGroupsRequest, ListGroupsResponse>(broker, ErrorCode.CoordinatorNotAvailable, new(broker.Groups)),
            ApiEntry.For<DeleteGroupsHandler, DeleteGroupsRequest, DeleteGroupsResponse>(new(broker.Groups)),
            ApiEntry.For<CreateTopicsHandler, CreateTopicsRequest, CreateTopicsResponse>(new(deeds)),
            ApiEntry.For<DeleteTopicsHandler, DeleteTopicsRequest, DeleteTopicsResponse>(
                new(broker.Identity, broker.Metadata, deeds)),
            Leased<DeleteRecordsHandler, DeleteRecordsRequest, DeleteRecordsResponse>(
                broker, ErrorCode.NotLeaderOrFollower, new(broker.Runtime, broker.Partitions)),
            ApiEntry.For<InitProducerIdHandler, InitProducerIdRequest, InitProducerIdResponse>(
                new(broker.Runtime, new ProducerIdBlocks(broker.Identity, broker.Controller))),
            Leased<OffsetForLeaderEpochHandler, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(
                broker, ErrorCode.NotLeaderOrFollower, new(broker.Partitions)),
            ApiEntry.For<DescribeConfigsHandler, DescribeConfigsRequest, DescribeConfigsResponse>(new(broker.Identity, broker.Metadata)),
            ApiEntry.For<CreatePartitionsHandler, CreatePartitionsRequest, CreatePartitionsResponse>(new(deeds)),
            ApiEntry.For<IncrementalAlterConfigsHandler, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
                new(deeds)),
            ApiEntry.For<AlterConfigsHandler, AlterConfigsRequest, AlterConfigsResponse>(new(deeds)),
            ApiEntry.For<DescribeLogDirsHandler, DescribeLogDirsRequest, DescribeLogDirsResponse>(new(broker.Identity.Node, broker.Partitions)),
            ApiEntry.For<OffsetDeleteHandler, OffsetDeleteRequest, OffsetDeleteResponse>(new(broker.Metadata, broker.Groups)),
            ApiEntry.For<ElectLeadersHandler, ElectLeadersRequest, ElectLeadersResponse>(new(broker.Runtime, broker.Metadata, deeds)),
            ApiEntry.For<AlterPartitionReassignmentsHandler, AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(new(deeds)),
            ApiEntry.For<ListPartitionReassignmentsHandler, ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>(new(broker.Metadata)),
            ApiEntry.For<DescribeQuorumHandler, DescribeQuorumRequest, DescribeQuorumResponse>(new(broker.Runtime, broker.Identity, broker.Metadata)),
            ApiEntry.For<ListConfigResourcesHandler, ListConfigResourcesRequest, ListConfigResourcesResponse>(new(broker.Metadata)),
            ApiEntry.For<DescribeTopicPartitionsHandler, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(new(broker.Metadata)),
            ApiEntry.For<DescribeClusterHandler, DescribeClusterRequest, DescribeClusterResponse>(new(broker.Identity, broker.Metadata)),
            ApiEntry.For<UnregisterBrokerHandler, UnregisterBrokerRequest, UnregisterBrokerResponse>(new(deeds)),
            ApiEntry.For<DescribeNodesHandler, DescribeNodesRequest, DescribeNodesResponse>(new(broker.Identity.Node, broker.Metadata, deeds)),
            ApiEntry.For<DescribeBalancerHandler, DescribeBalancerRequest, DescribeBalancerResponse>(new(deeds)),
            ApiEntry.For<DescribeScalerHandler, DescribeScalerRequest, DescribeScalerResponse>(new(deeds)),
            ApiEntry.For<DescribeMovesHandler, DescribeMovesRequest, DescribeMovesResponse>(new(broker.Runtime.Time, broker.Partitions)),
            ApiEntry.For<DescribeLoadHandler, DescribeLoadRequest, DescribeLoadResponse>(new(broker.Identity.Node, broker.Loads, broker.Metadata)),
        ]);
    }

    /// <summary>What is told those who follow partitions that are led here: it rests on the lease, too.</summary>
    public static FollowerService Followers(BrokerComponents broker) => new(
        new LeasedHandler<FollowPartitionHandler, FollowPartitionRequest, FollowPartitionResponse>(
            broker,
            ErrorCode.NotLeaderOrFollower,
            new(broker.Runtime, broker.Partitions, broker.Fetches, broker.FetchLimit, broker.Racks.Clients, broker.Racks.Metrics,
                broker.Identity.Configs.Broker(broker.Metadata.Image, BrokerConfigs.FollowedWalBytes).AsInt()),
            FollowPartitionHandler.PatienceOf).HandleAsync);

    /// <summary>An API whose answers rest on what this broker holds: they are given under its lease alone.</summary>
    private static ApiEntry Leased<THandler, TRequest, TResponse>(
        BrokerComponents broker, ErrorCode refusal, THandler handler, Func<TRequest, TimeSpan>? patience = null)
        where THandler : IApiHandler<TRequest, TResponse>
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        ApiEntry.For<LeasedHandler<THandler, TRequest, TResponse>, TRequest, TResponse>(new(broker, refusal, handler, patience));

    /// <summary>ApiVersions, which tells clients of all the others, with them.</summary>
    /// <param name="versions">The handler of ApiVersions.</param>
    /// <param name="others">In any order, each key once.</param>
    public static IReadOnlyList<ApiEntry> With(ApiVersionsHandler versions, IReadOnlyList<ApiEntry> others)
    {
        IReadOnlyList<ApiEntry> all = [.. others, ApiEntry.For<ApiVersionsHandler, ApiVersionsRequest, ApiVersionsResponse>(versions)];
        versions.Advertise(all.Select(api => (api.Key, api.Versions)));
        return all;
    }
}
