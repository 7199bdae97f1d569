using Millrace.Broker.Apis.Cluster;
using Millrace.Broker.Apis.Data;
using Millrace.Broker.Apis.Groups;
using Millrace.Broker.Apis.Topics;
using Millrace.Broker.Network;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Intake;
using Millrace.Broker.Partitions.Producers;
using Millrace.Broker.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Broker.Apis;

/// <summary>Every API that is served. What is not in it is not advertised, and a client that asks for it anyway is disconnected, as by Kafka.</summary>
internal sealed class ApiTable
{
    private readonly ApiEntry?[] _byKey;

    /// <param name="versions">The handler of ApiVersions, which is served too.</param>
    /// <param name="entries">All others, in any order, each key once.</param>
    public ApiTable(ApiVersionsHandler versions, IReadOnlyList<ApiEntry> entries)
    {
        Entries = [.. entries.Append(ApiEntry.For<ApiVersionsHandler, ApiVersionsRequest, ApiVersionsResponse>(versions)).OrderBy(entry => entry.Key)];
        _byKey = new ApiEntry?[(int)Entries[^1].Key + 1];
        foreach (var entry in Entries)
        {
            Invariant.Check(_byKey[(int)entry.Key] is null);
            _byKey[(int)entry.Key] = entry;
        }

        versions.Advertise(Entries.Select(entry => (entry.Key, entry.Versions)));
    }

    /// <summary>By key.</summary>
    public IReadOnlyList<ApiEntry> Entries { get; }

    /// <summary>Lists every handler.</summary>
    public static ApiTable Create(BrokerComponents broker)
    {
        var opening = new PartitionOpening(broker.Runtime);
        var deeds = new DeedLog(broker.Runtime.Loggers);
        return new(new ApiVersionsHandler(broker.Metadata),
        [
            ApiEntry.For<ProduceHandler, ProduceRequest, ProduceResponse>(new(broker.Runtime, broker.Partitions, new BatchIntake(broker.Buffers), broker.Metrics)),
            ApiEntry.For<FetchHandler, FetchRequest, FetchResponse>(
                new(
                    broker.Runtime, broker.Partitions, opening, broker.Fetches,
                    new FetchLimit(broker.Identity, broker.Metadata, broker.Buffers, broker.CacheBytes), broker.Metrics)),
            ApiEntry.For<ListOffsetsHandler, ListOffsetsRequest, ListOffsetsResponse>(new(broker.Runtime, opening, broker.Partitions)),
            ApiEntry.For<MetadataHandler, MetadataRequest, MetadataResponse>(new(broker.Runtime, broker.Identity, broker.Metadata, broker.Controller, deeds)),
            ApiEntry.For<OffsetCommitHandler, OffsetCommitRequest, OffsetCommitResponse>(new(broker.Metadata, broker.Groups)),
            ApiEntry.For<OffsetFetchHandler, OffsetFetchRequest, OffsetFetchResponse>(new(broker.Metadata, broker.Groups)),
            ApiEntry.For<FindCoordinatorHandler, FindCoordinatorRequest, FindCoordinatorResponse>(
                new(broker.Runtime, broker.Identity, broker.Metadata, broker.Controller, deeds)),
            ApiEntry.For<JoinGroupHandler, JoinGroupRequest, JoinGroupResponse>(new(broker.Groups)),
            ApiEntry.For<HeartbeatHandler, HeartbeatRequest, HeartbeatResponse>(new(broker.Groups)),
            ApiEntry.For<LeaveGroupHandler, LeaveGroupRequest, LeaveGroupResponse>(new(broker.Groups)),
            ApiEntry.For<SyncGroupHandler, SyncGroupRequest, SyncGroupResponse>(new(broker.Groups)),
            ApiEntry.For<DescribeGroupsHandler, DescribeGroupsRequest, DescribeGroupsResponse>(new(broker.Groups)),
            ApiEntry.For<ListGroupsHandler, ListGroupsRequest, ListGroupsResponse>(new(broker.Groups)),
            ApiEntry.For<DeleteGroupsHandler, DeleteGroupsRequest, DeleteGroupsResponse>(new(broker.Groups)),
            ApiEntry.For<CreateTopicsHandler, CreateTopicsRequest, CreateTopicsResponse>(new(broker.Runtime, broker.Controller, deeds)),
            ApiEntry.For<DeleteTopicsHandler, DeleteTopicsRequest, DeleteTopicsResponse>(
                new(broker.Runtime, broker.Identity, broker.Metadata, broker.Controller, deeds)),
            ApiEntry.For<DeleteRecordsHandler, DeleteRecordsRequest, DeleteRecordsResponse>(new(broker.Runtime, broker.Partitions)),
            ApiEntry.For<InitProducerIdHandler, InitProducerIdRequest, InitProducerIdResponse>(
                new(broker.Runtime, new ProducerIdBlocks(broker.Identity, broker.Controller))),
            ApiEntry.For<OffsetForLeaderEpochHandler, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(new(opening, broker.Partitions)),
            ApiEntry.For<DescribeConfigsHandler, DescribeConfigsRequest, DescribeConfigsResponse>(new(broker.Identity, broker.Metadata)),
            ApiEntry.For<CreatePartitionsHandler, CreatePartitionsRequest, CreatePartitionsResponse>(new(broker.Runtime, broker.Controller, deeds)),
            ApiEntry.For<IncrementalAlterConfigsHandler, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(new(broker.Runtime, broker.Controller, deeds)),
            ApiEntry.For<AlterConfigsHandler, AlterConfigsRequest, AlterConfigsResponse>(new(broker.Runtime, broker.Controller, deeds)),
            ApiEntry.For<DescribeLogDirsHandler, DescribeLogDirsRequest, DescribeLogDirsResponse>(new(broker.Partitions)),
            ApiEntry.For<OffsetDeleteHandler, OffsetDeleteRequest, OffsetDeleteResponse>(new(broker.Metadata, broker.Groups)),
            ApiEntry.For<DescribeQuorumHandler, DescribeQuorumRequest, DescribeQuorumResponse>(new(broker.Runtime, broker.Identity, broker.Metadata)),
            ApiEntry.For<ListConfigResourcesHandler, ListConfigResourcesRequest, ListConfigResourcesResponse>(new(broker.Metadata)),
            ApiEntry.For<DescribeTopicPartitionsHandler, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(new(broker.Metadata)),
            ApiEntry.For<DescribeClusterHandler, DescribeClusterRequest, DescribeClusterResponse>(new(broker.Identity, broker.Metadata)),
        ]);
    }

    /// <summary>Decodes a frame. The frame and the lease are the call's from now on, if this returns.</summary>
    /// <exception cref="InvalidFrameException">The API or the version is not served.</exception>
    /// <exception cref="ProtocolException">Header or body is malformed.</exception>
    public RequestCall Decode(RequestFrame frame, BudgetLease own, ClientConnection client)
    {
        var reader = new KafkaReader(frame.Buffer.Memory);
        var key = (ApiKey)reader.ReadInt16();
        var version = reader.ReadInt16();
        var correlationId = reader.ReadInt32();
        if ((ushort)key >= _byKey.Length || _byKey[(int)key] is not { } entry)
        {
            throw new InvalidFrameException($"API key {(short)key} (version {version}) is not served");
        }

        if (!entry.Versions.Contains(version))
        {
            return key == ApiKey.ApiVersions
                ? AnswerUnsupportedVersion(correlationId, frame, own, client)
                : throw new InvalidFrameException($"{key} v{version} is not served, only v{entry.Versions.Min} to v{entry.Versions.Max}");
        }

        var clientId = reader.ReadNullableString(flexible: false);
        if (ApiMessages.Find(key)!.RequestHeaderVersion(version) >= 2)
        {
            reader.ReadUnknownTaggedFields();
        }

        return entry.Decode(new RequestHead(key, version, correlationId, clientId), ref reader, frame, own, client);
    }

    /// <summary>The client cannot know which versions there are; an answer in the oldest one tells it. The rest of its request is not looked at.</summary>
    private static AnsweredCall AnswerUnsupportedVersion(int correlationId, RequestFrame frame, BudgetLease own, ClientConnection client) =>
        new(ApiVersionsHandler.Unsupported())
        {
            Api = ApiKey.ApiVersions,
            ApiVersion = 0,
            CorrelationId = correlationId,
            ClientId = null,
            Connection = client,
            RequestFrame = frame,
            Frame = frame.Buffer,
            OwnLease = own,
            OutlivesConnection = false,
            HasFlexibleResponseHeader = false,
        };
}
