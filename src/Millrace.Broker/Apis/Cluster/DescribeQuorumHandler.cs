using Millrace.Network.Access;
using Millrace.Broker.Membership;
using Millrace.Network.Requests;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;
using Millrace.Runtime;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>DescribeQuorum (key 55), v0–2: who decides about the cluster.</summary>
/// <remarks>
/// v1: times. v2: directories, messages, addresses. Deviation: the metadata log lies in the object store and has one owner at a time, so
/// that owner is the one voter and the leader. Its epoch is that of its incarnation, and the high watermark counts the
/// log's entries.
/// </remarks>
internal sealed class DescribeQuorumHandler(NodeRuntime runtime, BrokerIdentity identity, IMetadataFeed feed)
    : IApiHandler<DescribeQuorumRequest, DescribeQuorumResponse>
{
    private const string MetadataTopic = "__cluster_metadata";
    private const short FirstWithMessages = 2;

    public static VersionRange Versions => new(0, 2);

    public void ReportErrors(DescribeQuorumResponse response, ErrorTally errors)
    {
        errors.Add(response.ErrorCode);
        errors.Add(response.Topics.SelectMany(topic => topic.Partitions, (_, partition) => partition.ErrorCode));
    }

    public ErrorCode Authorize(RequestContext context, DescribeQuorumRequest request) => context.Access.Cluster(Operation.Describe);

    public DescribeQuorumResponse Refuse(RequestContext context, DescribeQuorumRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public ValueTask<DescribeQuorumResponse> HandleAsync(RequestContext context, DescribeQuorumRequest request, CancellationToken token) =>
        ValueTask.FromResult(
            request.Topics is [{ TopicName: MetadataTopic, Partitions: [{ PartitionIndex: 0 }] }]
                ? Describe(context.ApiVersion)
                : Refuse(request, context.ApiVersion));

    private DescribeQuorumResponse Describe(short version)
    {
        var image = feed.Image;
        var leader = SeenController.Of(image, identity.Node);
        var now = runtime.Time.GetUtcNow().ToUnixTimeMilliseconds();
        image.Nodes.TryGetValue(leader, out var node);
        return new DescribeQuorumResponse
        {
            Topics =
            [
                new DescribeQuorumResponse.TopicData
                {
                    TopicName = MetadataTopic,
                    Partitions =
                    [
                        new DescribeQuorumResponse.PartitionData
                        {
                            LeaderId = leader.Value,
                            LeaderEpoch = (int)Math.Min(node?.Epoch.Value ?? 0, int.MaxValue),
                            HighWatermark = image.Version.ToInt64(),
                            CurrentVoters =
                            [
                                new DescribeQuorumResponse.ReplicaState
                                {
                                    ReplicaId = leader.Value,
                                    LogEndOffset = image.Version.ToInt64(),
                                    LastFetchTimestamp = now,
                                    LastCaughtUpTimestamp = now,
                                },
                            ],
                        },
                    ],
                },
            ],
            Nodes = version < FirstWithMessages || node is null ? [] :
            [
                new DescribeQuorumResponse.Node
                {
                    NodeId = leader.Value,
                    Listeners =
                    [
                        .. node.Endpoints.Select(endpoint => new DescribeQuorumResponse.Listener
                        {
                            Name = endpoint.Listener.Value,
                            Host = endpoint.Host,
                            Port = (ushort)endpoint.Port,
                        }),
                    ],
                },
            ],
        };
    }

    private static DescribeQuorumResponse Refuse(DescribeQuorumRequest request, short version) => new()
    {
        Topics =
        [
            .. request.Topics.Select(topic => new DescribeQuorumResponse.TopicData
            {
                TopicName = topic.TopicName,
                Partitions =
                [
                    .. topic.Partitions.Select(partition => new DescribeQuorumResponse.PartitionData
                    {
                        PartitionIndex = partition.PartitionIndex,
                        ErrorCode = (short)ErrorCode.UnknownTopicOrPartition,
                        ErrorMessage = version < FirstWithMessages ? null : $"There is one quorum: partition 0 of {MetadataTopic}.",
                    }),
                ],
            }),
        ],
    };
}
