using System.Collections.Immutable;
using Millrace.Broker.Following;
using Millrace.Broker.Membership;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Broker.Following;

public sealed class RackReplicasTests
{
    private static readonly Guid Topic = new("00000001-0002-0003-0405-060708090A0B");
    private static readonly ListenerName Away = new("AWAY");

    // Nodes 0 and 1 are in rack a, 2 to 5 in b, and 6 in none; 7 is registered nowhere.
    private readonly MetadataImage _image = MetadataImage.Empty with
    {
        Nodes = Enumerable.Range(0, 7).ToImmutableSortedDictionary(id => new NodeId(id), id => Node(id, id < 2 ? "a" : id < 6 ? "b" : null)),
    };

    [Fact]
    public void A_consumer_of_the_leaders_rack_stays_with_it_and_so_does_one_whose_rack_is_not_known_or_has_no_replica()
    {
        Assert.Null(Choose("a", _image, leader: 0, 1, 2));
        Assert.Null(Choose(null, _image, leader: 0, 1, 2));
        Assert.Null(Choose("c", _image, leader: 0, 1, 2));
        Assert.Null(Choose("b", _image, leader: 0, 0, 1, 7));
        Assert.Equal(2, Choose("b", _image, leader: 0, 0, 1, 2));
    }

    [Fact]
    public void A_leader_without_a_rack_sends_consumers_to_those_that_have_one() => Assert.Equal(1, Choose("a", _image, leader: 6, 6, 1, 2));

    [Fact]
    public void Nobody_is_sent_where_the_leader_is_not_known() => Assert.Null(Choose("b", _image, leader: null, 0, 2));

    [Fact]
    public void One_that_is_away_leaves_is_drained_or_cannot_be_reached_by_the_clients_listener_serves_nobody()
    {
        Assert.Null(Choose("b", With(node => node with { State = NodeState.Fenced }), leader: 0, 0, 2));
        Assert.Null(Choose("b", With(node => node with { IsLeaving = true }), leader: 0, 0, 2));
        Assert.Null(Choose("b", Drained(2), leader: 0, 0, 2));
        Assert.Equal(3, Choose("b", Drained(2), leader: 0, 0, 2, 3));
        Assert.Null(Choose("b", With(node => node with { Endpoints = [new NodeEndpoint(Away, "h", 1)] }), leader: 0, 0, 2));
    }

    [Fact]
    public void Of_several_it_is_always_the_same_one_however_they_are_listed_and_partitions_are_spread_over_them()
    {
        var chosen = Enumerable.Range(0, 400).Select(index => ChooseOf(index, "b", _image, leader: 0, 0, 2, 3, 4, 5)!.Value).ToArray();

        Assert.Equal(chosen, Enumerable.Range(0, 400).Select(index => ChooseOf(index, "b", _image, leader: 0, 5, 3, 2, 0, 4)!.Value));
        Assert.All([2, 3, 4, 5], node => Assert.InRange(chosen.Count(one => one == node), 60, 140));

        // Who leaves takes along nobody but its own.
        var without = Enumerable.Range(0, 400).Select(index => ChooseOf(index, "b", Drained(4), leader: 0, 0, 2, 3, 4, 5)!.Value).ToArray();
        Assert.All(Enumerable.Range(0, 400), index => Assert.True(chosen[index] == 4 || chosen[index] == without[index]));
    }

    [Theory]
    [InlineData("org.apache.kafka.common.replica.RackAwareReplicaSelector", 2)]
    [InlineData("org.apache.kafka.common.replica.LeaderSelector", null)]
    [InlineData("", null)]
    public void Kafkas_setting_turns_it_off(string selector, int? expected) => Assert.Equal(
        expected, ChooseBy(Replicas(("replica.selector.class", selector)), 0, "b", _image, 0, 0, 2));

    private static int? Choose(string? rack, MetadataImage image, int? leader, params int[] replicas) => ChooseOf(0, rack, image, leader, replicas);

    private static int? ChooseOf(int index, string? rack, MetadataImage image, int? leader, params int[] replicas) =>
        ChooseBy(Replicas(), index, rack, image, leader, replicas);

    private static int? ChooseBy(RackReplicas racks, int index, string? rack, MetadataImage image, int? leader, params int[] replicas) => racks.Choose(
        image,
        Topic,
        new PartitionImage(
            index, new StreamId(1), leader is { } node ? new NodeId(node) : null, new StreamEpoch(1), [.. replicas.Select(replica => new NodeId(replica))]),
        rack,
        ListenerName.Plaintext)?.Value;

    private static RackReplicas Replicas(params (string Key, string Value)[] settings) => new(
        new BrokerIdentity(new NodeId(0), new NodeEpoch(1), new ConfigResolver(new NodeId(0), settings.ToDictionary(set => set.Key, set => set.Value))),
        new MetadataFeed());

    private MetadataImage With(Func<NodeImage, NodeImage> change) =>
        _image with { Nodes = _image.Nodes.SetItem(new NodeId(2), change(_image.Nodes[new NodeId(2)])) };

    private MetadataImage Drained(int node) => _image with
    {
        BrokerConfigs = _image.BrokerConfigs.Add(new NodeId(node), ImmutableSortedDictionary<string, string>.Empty.Add(BrokerConfigs.Drained, "true")),
    };

    private static NodeImage Node(int id, string? rack) =>
        new(new NodeId(id), new NodeEpoch(id), Guid.Empty, [new NodeEndpoint(ListenerName.Plaintext, "host", id)], rack, NodeState.Live);
}
