using Millrace.Cluster.Liveness;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Cluster.Liveness;

/// <summary>A topic of two partitions, of which node 1 leads the first and node 2 the second.</summary>
public sealed class FailoversTests
{
    private static readonly Guid Topic = new("00000000-0000-0000-0000-00000000000a");
    private static readonly MetadataImage Image = Apply(
        MetadataImage.Empty,
        Node(1, epoch: 1),
        Node(2, epoch: 2),
        new TopicRecord { TopicId = Topic, Name = "t", ReplicationFactor = 1 },
        Partition(0, leader: 1),
        Partition(1, leader: 2));

    private readonly ManualTime _time = new();
    private readonly List<string> _told = [];
    private readonly Failovers _failovers;

    public FailoversTests() => _failovers = new Failovers(
        _time, cause => _told.Add($"{cause}"), (cause, took) => _told.Add($"{cause} {took.TotalSeconds:F0} s"));

    [Fact]
    public void One_that_is_given_up_is_waited_for_from_then_until_the_last_of_what_it_led_is_led_again()
    {
        var image = Apply(Image, Leads(1, first: 0, count: 2));
        Observe(MetadataImage.Empty, image);
        _failovers.Announce(new NodeIncarnation(new NodeId(1), new NodeEpoch(1)), LossCause.Silent);
        image = Observe(image, Apply(image, new NodeFencedRecord { NodeId = 1, NodeEpoch = 1 }));
        _time.Advance(TimeSpan.FromSeconds(3));
        image = Observe(image, Apply(image, Leads(2, first: 0)));

        Assert.Equal(["Silent"], _told);
        Assert.Equal((1, TimeSpan.FromSeconds(3)), _failovers.Waiting()[LossCause.Silent]);
        Assert.Equal((0, TimeSpan.Zero), _failovers.Waiting()[LossCause.Gone]);

        _time.Advance(TimeSpan.FromSeconds(4));
        Observe(image, Apply(image, Leads(2, first: 1)));

        Assert.Equal(["Silent", "Silent 7 s"], _told);
        Assert.Equal((0, TimeSpan.Zero), _failovers.Waiting()[LossCause.Silent]);
    }

    [Fact]
    public void One_that_comes_again_before_it_was_missed_has_lost_what_it_led_until_it_is_led_again()
    {
        Observe(MetadataImage.Empty, Image);
        var image = Observe(Image, Apply(Image, new NodeFencedRecord { NodeId = 1, NodeEpoch = 1 }, Node(1, epoch: 3)));
        _time.Advance(TimeSpan.FromSeconds(2));
        Observe(image, Apply(image, Leads(1, first: 0)));

        Assert.Equal(["Registered", "Registered 2 s"], _told);
    }

    [Fact]
    public void One_that_leaves_leaves_nothing_without_a_leader()
    {
        Observe(MetadataImage.Empty, Image);
        Observe(Image, Apply(Image, new NodeStoppedRecord { NodeId = 1, NodeEpoch = 1 }, Leads(2, first: 0)));

        Assert.Equal(["Left", "Left 0 s"], _told);
    }

    [Fact]
    public void What_has_no_leader_when_a_controller_begins_counts_from_then()
    {
        var image = Observe(MetadataImage.Empty, Apply(Image, new NodeFencedRecord { NodeId = 1, NodeEpoch = 1 }));
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal((1, TimeSpan.FromSeconds(2)), _failovers.Waiting()[LossCause.Unseen]);
        Observe(image, Apply(image, Leads(2, first: 0)));
        Assert.Equal(["Unseen 2 s"], _told);
    }

    [Fact]
    public void What_is_deleted_waits_for_no_leader()
    {
        Observe(MetadataImage.Empty, Image);
        _failovers.Announce(new NodeIncarnation(new NodeId(1), new NodeEpoch(1)), LossCause.Gone);
        var image = Observe(Image, Apply(Image, new NodeFencedRecord { NodeId = 1, NodeEpoch = 1 }));
        Observe(image, Apply(image, new TopicRemovedRecord { TopicId = Topic }));

        Assert.Equal(["Gone", "Gone 0 s"], _told);
    }

    private MetadataImage Observe(MetadataImage before, MetadataImage after)
    {
        _failovers.Observe(MetadataDelta.Between(before, after));
        return after;
    }

    private static MetadataImage Apply(MetadataImage image, params IRecord[] records) => records.Aggregate(image, (last, record) => last.Apply(record));

    private static NodeRecord Node(int id, long epoch) => new() { NodeId = id, NodeEpoch = epoch, Host = "h", Port = 1, State = (sbyte)NodeState.Live };

    private static PartitionRecord Partition(int index, int leader) =>
        new() { TopicId = Topic, Partition = index, StreamId = index + 1, Leader = leader, LeaderEpoch = 1, Replicas = [leader], PlannedTo = -1 };

    private static PartitionLeadersRecord Leads(int node, int first, int count = 1) =>
        new() { TopicId = Topic, Ranges = [new() { First = first, Count = count, Leader = node }] };
}
