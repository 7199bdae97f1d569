using Millrace.Controller.Nodes;
using Millrace.Controller.Topics;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Controller.Topics;

public sealed class ReplicaPlacementTests
{
    private readonly ClusterScript _script = new();

    [Fact]
    public void Leaders_are_spread_evenly_over_brokers_and_racks_and_replicas_of_a_partition_lie_in_different_racks()
    {
        Register("a", "b", "c", "a", "b", "c");

        var topic = _script.CreateTopic("t", partitions: 60, replicationFactor: 3);

        Assert.All(Leaders(topic), leads => Assert.Equal(10, leads.Count()));
        Assert.All(Leaders(topic).GroupBy(leads => RackOf(leads.Key)), rack => Assert.Equal(20, rack.Sum(leads => leads.Count())));
        Assert.All(topic.Partitions, partition => Assert.Equal(3, partition.Replicas.Select(RackOf).Distinct().Count()));
        // Any five partitions one after another are led in all racks.
        Assert.All(
            Enumerable.Range(0, 55),
            first => Assert.Equal(3, topic.Partitions.Skip(first).Take(5).Select(partition => RackOf(partition.Leader!.Value)).Distinct().Count()));
    }

    [Fact]
    public void Racks_of_different_sizes_leave_every_broker_its_share_of_leaders()
    {
        Register("a", "a", "a", "b", null);

        var topic = _script.CreateTopic("t", partitions: 50, replicationFactor: 2);

        Assert.All(Leaders(topic), leads => Assert.Equal(10, leads.Count()));
        Assert.All(topic.Partitions, partition => Assert.Equal(2, partition.Replicas.Select(RackOf).Distinct().Count()));
    }

    [Fact]
    public void More_replicas_than_racks_are_spread_as_evenly_over_them_as_can_be()
    {
        Register("a", "a", "b", "b");

        var topic = _script.CreateTopic("t", partitions: 8, replicationFactor: 4);

        Assert.All(topic.Partitions, partition =>
        {
            Assert.Equal(4, partition.Replicas.Distinct().Count());
            Assert.NotEqual(RackOf(partition.Replicas[0]), RackOf(partition.Replicas[1]));
        });
    }

    [Fact]
    public void Topics_of_one_partition_are_led_by_all_brokers_in_turn_and_so_are_partitions_that_are_added()
    {
        Register(null, null, null);

        for (var number = 0; number < 30; number++)
        {
            _script.CreateTopic($"t{number}");
            Grow($"t{number}", partitions: 2);
        }

        var led = _script.State.Cluster.Topics.Values.SelectMany(topic => topic.Partitions).OrderBy(partition => partition.Stream).ToList();
        Assert.Equal(60, led.Count);
        Assert.Equal(Enumerable.Range(0, 60).Select(turn => new NodeId(turn % 3)), led.Select(partition => partition.Leader!.Value));
    }

    [Fact]
    public void What_a_lost_broker_led_has_its_next_replica_on_all_others()
    {
        Register(null, null, null, null);

        var topic = _script.CreateTopic("t", partitions: 24, replicationFactor: 2);

        var next = topic.Partitions.Where(partition => partition.Leader == new NodeId(0)).Select(partition => partition.Replicas[1]);
        Assert.Equal([new NodeId(1), new NodeId(2), new NodeId(3)], next.Distinct().Order());
    }

    [Fact]
    public void A_broker_that_comes_again_in_another_rack_is_counted_there()
    {
        Register("a", "b", "b");
        Assert.Equal([new NodeId(1), new NodeId(2)], InOneRackWith(new NodeId(1)));
        _script.Do(entry => NodeOperations.Register(entry, Registration("b", "n0")));
        _script.Do(entry => NodeOperations.Register(entry, Registration("a", "n1")));

        // Two of a partition are never in one rack while there is another.
        Assert.Equal([new NodeId(0), new NodeId(2)], InOneRackWith(new NodeId(0)));

        IEnumerable<NodeId> InOneRackWith(NodeId node)
        {
            var topic = _script.CreateTopic($"beside-{node}", partitions: 12, replicationFactor: 2);
            var apart = topic.Partitions.Where(partition => partition.Replicas.Contains(node)).SelectMany(partition => partition.Replicas).ToHashSet();
            return _script.State.Cluster.Nodes.Keys.Where(other => other == node || !apart.Contains(other));
        }
    }

    private void Grow(string topic, int partitions)
    {
        var request = new CreatePartitionsRequest { Topics = [new() { Name = topic, Count = partitions, Assignments = null }] };
        Assert.Equal((short)ErrorCode.None, Assert.Single(_script.Do(entry => PartitionCreation.Create(entry, request)).Results).ErrorCode);
    }

    private static IEnumerable<IGrouping<NodeId, PartitionImage>> Leaders(TopicImage topic) => topic.Partitions.GroupBy(partition => partition.Leader!.Value);

    private void Register(params string?[] racks)
    {
        for (var i = 0; i < racks.Length; i++)
        {
            _script.Do(entry => NodeOperations.Register(entry, Registration(racks[i], $"n{i}")));
        }
    }

    private NodeRegistration Registration(string? rack, string name) =>
        new(_script.Random.NewId(), [new NodeEndpoint(ListenerName.Plaintext, name, 9092)], rack) { Name = name };

    private string? RackOf(NodeId node) => _script.State.Cluster.Nodes[node].Rack;
}
