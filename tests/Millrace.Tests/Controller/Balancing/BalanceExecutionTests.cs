using Millrace.Controller.Balancing;
using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Balancing;

public sealed class BalanceExecutionTests
{
    private readonly ClusterScript _script = new();
    private readonly NodeIncarnation[] _nodes;

    public BalanceExecutionTests()
    {
        _nodes = [.. Enumerable.Range(0, 4).Select(number => _script.Register(name: $"n{number}", kind: WalKind.Object))];
        _script.CreateTopic("t", partitions: 8, replicationFactor: 2);
    }

    [Fact]
    public void Who_is_to_lead_a_partition_is_its_preferred_leader_from_then_on_in_the_place_of_the_one_that_led_it()
    {
        var before = Partition(0);
        var to = Other(before);

        Assert.Single(Begin(Move(0, to)));

        Assert.Equal([to, .. before.Replicas.Where(replica => replica != before.Leader)], Partition(0).Replicas);
        Assert.Contains(to, new[] { Partition(0).Leader, Partition(0).PlannedTo });
    }

    [Fact]
    public void A_replica_that_is_to_lead_changes_places_and_nobody_loses_his()
    {
        var before = Partition(0);
        var to = before.Replicas[1];

        Assert.Single(Begin(Move(0, to)));

        Assert.Equal([to, before.Replicas[0]], Partition(0).Replicas);
    }

    [Theory]
    [InlineData("a1 b1", "a2", "a2 b1")]
    [InlineData("a1 b1", "b2", "b2 a1")]
    [InlineData("a1 a2 b1", "b2", "b2 a2 b1")]
    [InlineData("a1 a2 b1", "c1", "c1 a2 b1")]
    [InlineData("a1 b1 b2", "c1", "c1 a1 b1")]
    [InlineData("a1 b1", "c1", "c1 b1")]
    [InlineData("a1 a2 b1", "b2", "b2 a1 a2", "a2")]
    public void Each_rack_that_has_a_replica_keeps_one_where_that_can_be(string replicas, string to, string expected, string? dead = null)
    {
        var nodes = new[] { "a1", "a2", "b1", "b2", "c1" }
            .ToDictionary(name => name, name => _script.Register(name: name, kind: WalKind.Object, rack: name[..1]));
        var topic = _script.State.Cluster.Topics["t"];
        _script.Do(entry =>
        {
            entry.Add(new PartitionReplicasRecord
            {
                TopicId = topic.Id, Assignments = [new() { Partition = 0, Replicas = [.. replicas.Split(' ').Select(name => nodes[name].Node.Value)] }],
            });
            entry.Add(new PartitionLeadersRecord { TopicId = topic.Id, Ranges = [new() { First = 0, Count = 1, Leader = nodes[replicas[..2]].Node.Value }] });
            if (dead is not null)
            {
                NodeOperations.Fence(entry, nodes[dead]);
            }
        });

        Assert.Single(Begin(Move(0, nodes[to].Node)));

        Assert.Equal(expected.Split(' ').Select(name => nodes[name].Node), Partition(0).Replicas);
    }

    [Fact]
    public void Several_moves_of_several_topics_are_begun_in_one_entry_whatever_their_order()
    {
        _script.CreateTopic("u", partitions: 4, replicationFactor: 1);
        var entries = _script.Entries;

        Assert.Equal(4, Begin(Move(5, Other(Partition(5))), Move(1, "u", _nodes[3].Node), Move(2, Other(Partition(2))), Move(0, "u", _nodes[2].Node)).Count);

        Assert.Equal(entries + 1, _script.Entries);
    }

    [Fact]
    public void What_has_changed_since_it_was_planned_stays_as_it_is()
    {
        var stale = Move(0, Other(Partition(0))) with { From = Other(Partition(0)) };
        var gone = Move(1, Other(Partition(1))) with { Topic = Guid.NewGuid() };
        var toDead = Move(2, Other(Partition(2)));
        _script.Do(entry => NodeOperations.Fence(entry, _nodes.Single(node => node.Node == toDead.To)));
        var before = _script.State.Cluster.Topics["t"];

        Assert.Empty(Begin(stale, gone, toDead));

        Assert.Equal(before, _script.State.Cluster.Topics["t"]);
    }

    [Fact]
    public void Nothing_goes_to_a_broker_that_gets_nothing_new()
    {
        var move = Move(0, Other(Partition(0)));
        _script.Do(entry => entry.Add(new BrokerConfigRecord { NodeId = move.To.Value, Name = BrokerConfigs.CordonedLogDirs, Value = "*" }));

        Assert.Empty(Begin(move));
    }

    private IReadOnlyList<BalanceMove> Begin(params BalanceMove[] moves) => _script.Do(entry => BalanceExecution.Begin(entry, moves));

    private BalanceMove Move(int partition, NodeId to) => Move(partition, "t", to);

    private BalanceMove Move(int partition, string topic, NodeId to)
    {
        var image = _script.State.Cluster.Topics[topic];
        return new BalanceMove(image.Id, partition, image.Partitions[partition].Leader!.Value, to, BalanceGoal.Load, 0, (0, 0), (0, 0));
    }

    /// <summary>A node that is no replica of it.</summary>
    private NodeId Other(PartitionImage partition) => _nodes.Select(node => node.Node).First(node => !partition.Replicas.Contains(node));

    private PartitionImage Partition(int index) => _script.State.Cluster.Topics["t"].Partitions[index];
}
