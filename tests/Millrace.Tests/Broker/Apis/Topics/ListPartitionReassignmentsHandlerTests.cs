using System.Collections.Immutable;
using Millrace.Broker.Apis.Topics;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Topics;

/// <summary>The partitions that are on their way, as Kafka's tools are told of them.</summary>
public sealed class ListPartitionReassignmentsHandlerTests : IAsyncDisposable
{
    private static readonly (NodeId Self, NodeId Other) Nodes = (PartitionsUnderTest.Self, PartitionsUnderTest.Other);
    private readonly PartitionsUnderTest _broker = PartitionsUnderTest.Start();
    private readonly MetadataFeed _feed = new();

    public ListPartitionReassignmentsHandlerTests() => _feed.Publish(PartitionsUnderTest.With(
        MetadataImage.Empty with
        {
            Version = new MetadataVersion(1, 1),
            Nodes = MetadataImage.Empty.Nodes.Add(Nodes.Self, Node(Nodes.Self)).Add(Nodes.Other, Node(Nodes.Other)),
        },
        new TopicImage(
            new Guid(1, 0, 0, new byte[8]), "t", 1,
            [
                Partition(0, Nodes.Self, Nodes.Other, [Nodes.Other]),
                Partition(1, Nodes.Self, null, [Nodes.Self]),
                Partition(2, Nodes.Self, Nodes.Other, [Nodes.Other, Nodes.Self]),
                Partition(3, null, Nodes.Other, [Nodes.Other]),
            ],
            ImmutableSortedDictionary<string, string>.Empty)));

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_leader_that_hands_over_is_being_removed_where_it_is_none_of_the_replicas()
    {
        var partitions = Assert.Single((await ListAsync(null)).Topics).Partitions;

        // Who is recovered does not move, and who stays does not either.
        Assert.Equal([0, 2], partitions.Select(partition => partition.PartitionIndex));
        Assert.Equal(["1", ""], partitions.Select(partition => string.Join(',', partition.RemovingReplicas)));
        Assert.Equal(["1,2", "2,1"], partitions.Select(partition => string.Join(',', partition.Replicas)));
        Assert.All(partitions, partition => Assert.Empty(partition.AddingReplicas));
    }

    [Fact]
    public async Task Whoever_asks_for_some_is_told_of_these()
    {
        Assert.Equal([2], (await ListAsync([("t", [1, 2, 9])])).Topics.SelectMany(topic => topic.Partitions, (_, partition) => partition.PartitionIndex));
        Assert.Empty((await ListAsync([("t", [1]), ("none", [0])])).Topics);
    }

    private async Task<ListPartitionReassignmentsResponse> ListAsync(IReadOnlyList<(string Name, int[] Indexes)>? topics)
    {
        using var context = TestContext.Create(46, _broker.Buffers.Rent(1));
        return await new ListPartitionReassignmentsHandler(_feed).HandleAsync(
            context,
            new ListPartitionReassignmentsRequest
            {
                Topics = topics is null ? null
                    : [.. topics.Select(topic => new ListPartitionReassignmentsRequest.ListPartitionReassignmentsTopics
                    {
                        Name = topic.Name, PartitionIndexes = topic.Indexes,
                    })],
            },
            default);
    }

    private static PartitionImage Partition(int index, NodeId? leader, NodeId? plannedTo, NodeId[] replicas) =>
        new(index, new StreamId(index + 1), leader, new StreamEpoch(1), [.. replicas]) { PlannedTo = plannedTo };

    private static NodeImage Node(NodeId id) => new(id, new NodeEpoch(id.Value), Guid.Empty, [], null, NodeState.Live);
}
