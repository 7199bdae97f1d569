using Millrace.Broker.Apis.Data;
using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

public sealed class LeaderHintsTests
{
    private static readonly ListenerName Inner = new("INNER");
    private static readonly MetadataImage Image = MetadataImage.Empty with
    {
        Nodes = MetadataImage.Empty.Nodes.Add(new NodeId(1), Node(1, NodeState.Live)).Add(new NodeId(2), Node(2, NodeState.Fenced)),
    };

    [Fact]
    public void A_leader_of_several_partitions_is_named_for_each_and_its_address_once()
    {
        var hints = new LeaderHints(Image, Inner);

        Assert.Equal((1, 7), hints.Add(PartitionError.NotLeader, Led(by: 1, epoch: 7)));
        Assert.Equal((1, 8), hints.Add(PartitionError.FencedLeaderEpoch, Led(by: 1, epoch: 8)));

        Assert.Equal([(1, "inner-1")], hints.Leaders.Select(leader => (leader.Node.Id.Value, leader.Endpoint.Host)));
    }

    [Fact]
    public void Nobody_is_told_of_a_leader_that_cannot_be_reached_or_that_the_error_is_not_about()
    {
        var hints = new LeaderHints(Image, Inner);
        var elsewhere = new LeaderHints(Image, ListenerName.Plaintext);

        Assert.Null(hints.Add(PartitionError.OffsetOutOfRange, Led(by: 1, epoch: 7)));
        Assert.Null(hints.Add(PartitionError.NotLeader, Led(by: 2, epoch: 7)));
        Assert.Null(hints.Add(PartitionError.NotLeader, Led(by: null, epoch: 7)));
        Assert.Null(elsewhere.Add(PartitionError.NotLeader, Led(by: 1, epoch: 7)));

        Assert.Empty(hints.Leaders);
        Assert.Empty(elsewhere.Leaders);
    }

    private static PartitionLookup Led(int? by, long epoch) => new(
        PartitionError.NotLeader, null, new PartitionImage(0, new StreamId(1), by is { } node ? new NodeId(node) : null, new StreamEpoch(epoch), []));

    private static NodeImage Node(int id, NodeState state) =>
        new(new NodeId(id), new NodeEpoch(1), Guid.Empty, [new NodeEndpoint(Inner, $"inner-{id}", 9092)], null, state);
}
