using Millrace.Controller.Nodes;
using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Topics;

/// <summary>Who comes after nodes that are gone.</summary>
public sealed class SuccessionTests
{
    private readonly ClusterScript _script = new();

    [Fact]
    public void The_entry_that_fences_a_node_plans_what_it_led_evenly_over_all_who_survive_it()
    {
        var nodes = Cluster(4, WalKind.Object);
        OpenAll(_script.CreateTopic("t", partitions: 40));
        var lost = LedBy(nodes[0]);

        var records = Fence(nodes[0]);

        Assert.IsType<NodeFencedRecord>(records[0]);
        Assert.Single(records.OfType<PartitionPlansRecord>());
        Assert.Equal(10, lost.Count);
        Assert.All(lost, index => Assert.Null(Partition(index).Leader));
        Assert.Equal(
            [3, 3, 4], lost.GroupBy(index => Partition(index).PlannedTo).Select(share => share.Count()).Order());
        Assert.DoesNotContain(nodes[0].Node, lost.Select(index => Partition(index).PlannedTo!.Value));
    }

    [Fact]
    public void What_the_fenced_node_never_opened_is_led_by_another_at_once()
    {
        var nodes = Cluster(3, WalKind.Object);
        _script.CreateTopic("t", partitions: 9);
        var lost = LedBy(nodes[1]);

        Fence(nodes[1]);

        Assert.All(lost, index => Assert.Equal((true, 1), (Partition(index).Leader is not null, Partition(index).LeaderEpoch)));
        Assert.Empty(WaitingWals.Waiting(_script.State));
    }

    [Fact]
    public void What_lies_in_a_WAL_that_only_its_node_reaches_is_planned_to_that_node_whether_or_not_it_lives()
    {
        var nodes = Cluster(3, WalKind.File);
        OpenAll(_script.CreateTopic("t", partitions: 9));
        var lost = LedBy(nodes[1]);

        Fence(nodes[1]);
        Fence(nodes[2]);

        Assert.All(lost, index => Assert.Equal((null, nodes[1].Node), (Partition(index).Leader, Partition(index).PlannedTo)));
        var wal = Assert.Single(WaitingWals.Waiting(_script.State), waiting => waiting.Wal.Node == nodes[1].Node).Wal.Id;
        var again = _script.Register(name: "n1", kind: WalKind.File);
        _script.Do(entry => WaitingWals.Claim(entry, nodes[0], wal));
        Assert.Equal(lost.Count, Assert.Single(WaitingWals.SharesOf(_script.State, again)).Ranges.Count);
    }

    [Fact]
    public void Whoever_has_the_file_of_a_node_that_is_away_may_claim_what_waits_for_it()
    {
        var nodes = Cluster(3, WalKind.File);
        OpenAll(_script.CreateTopic("t", partitions: 9));
        var lost = LedBy(nodes[1]);
        Fence(nodes[1]);

        _script.Do(entry => WaitingWals.Claim(entry, nodes[2], Assert.Single(WaitingWals.Waiting(_script.State)).Wal.Id));

        Assert.All(lost, index => Assert.Equal((null, nodes[2].Node), (Partition(index).Leader, Partition(index).PlannedTo)));
        Fence(nodes[2]);
        Assert.All(lost, index => Assert.Equal((null, nodes[1].Node), (Partition(index).Leader, Partition(index).PlannedTo)));
    }

    [Fact]
    public void What_lies_on_a_device_goes_to_one_that_comes_to_reach_it_and_stays_there_while_that_one_lives()
    {
        var nodes = Enumerable.Range(0, 4).Select(number => _script.Register(withWal: false, name: $"n{number}")).ToArray();
        Array.ForEach(nodes, node => _script.RegisterWal(node, WalKind.Block, $"device{node.Node}#0"));
        OpenAll(_script.CreateTopic("t", partitions: 16));
        var (dead, one, other) = (nodes[0], nodes[1], nodes[2]);
        var lost = LedBy(dead);
        Fence(dead);
        Assert.All(lost, index => Assert.Equal(dead.Node, Partition(index).PlannedTo));

        Report(one, "another", $"device{dead.Node}");
        Assert.All(lost, index => Assert.Equal((null, one.Node), (Partition(index).Leader, Partition(index).PlannedTo)));
        Assert.Equal(lost.Count, Assert.Single(WaitingWals.SharesOf(_script.State, one)).Ranges.Count);

        // What has begun to read it is not disturbed by a second one.
        Report(other, $"device{dead.Node}");
        Assert.All(lost, index => Assert.Equal(one.Node, Partition(index).PlannedTo));

        // Nor what it reads by a device that has gone: it may be in the middle of it, and come again.
        Report(one, "another");
        Assert.All(lost, index => Assert.Equal(one.Node, Partition(index).PlannedTo));
        Assert.Empty(Report(one, "another"));

        Fence(one);
        Assert.All(lost, index => Assert.Equal(other.Node, Partition(index).PlannedTo));
    }

    [Fact]
    public void The_share_of_a_survivor_that_dies_too_is_planned_again_in_its_own_fence_entry()
    {
        var nodes = Cluster(4, WalKind.Object);
        OpenAll(_script.CreateTopic("t", partitions: 40));
        var lost = LedBy(nodes[0]);
        Fence(nodes[0]);
        var stay = lost.Where(index => Partition(index).PlannedTo != nodes[1].Node).ToDictionary(index => index, index => Partition(index).PlannedTo);

        Fence(nodes[1]);

        Assert.All(stay, kept => Assert.Equal(kept.Value, Partition(kept.Key).PlannedTo));
        var alive = nodes[2..].Select(node => node.Node).ToList();
        Assert.All(Enumerable.Range(0, 40), index => Assert.Contains(Partition(index).Leader ?? Partition(index).PlannedTo!.Value, alive));
    }

    [Fact]
    public void The_share_of_a_survivor_that_leaves_is_planned_again()
    {
        var nodes = Cluster(3, WalKind.Object);
        OpenAll(_script.CreateTopic("t", partitions: 3), nodes[0]);
        Fence(nodes[0]);
        var planned = Partition(0).PlannedTo;
        var survivor = nodes.Single(node => node.Node == planned);

        _script.Do(entry => NodeOperations.Stop(entry, survivor));

        Assert.Equal(nodes.Single(node => node != nodes[0] && node != survivor).Node, Partition(0).PlannedTo);
    }

    [Fact]
    public void A_survivor_that_is_fenced_by_its_own_next_incarnation_keeps_its_share_and_gets_a_part_of_what_it_led()
    {
        var nodes = Cluster(3, WalKind.Object);
        OpenAll(_script.CreateTopic("t", partitions: 30));
        var lost = LedBy(nodes[0]);
        Fence(nodes[0]);
        var kept = lost.Where(index => Partition(index).PlannedTo == nodes[1].Node).ToList();

        var again = _script.Register(name: "n1", kind: WalKind.Object);

        Assert.NotEmpty(kept);
        Assert.All(kept, index => Assert.Equal(again.Node, Partition(index).PlannedTo));
        var shares = WaitingWals.SharesOf(_script.State, again);
        Assert.Equal([kept.Count, 5], shares.Select(share => share.Ranges.Count));
    }

    [Fact]
    public void Where_nobody_survives_everything_waits_for_whoever_registers_next()
    {
        var nodes = Cluster(2, WalKind.Object);
        OpenAll(_script.CreateTopic("t", partitions: 4), nodes[0]);
        Fence(nodes[0]);
        Fence(nodes[1]);
        Assert.All(Enumerable.Range(0, 4), index => Assert.Equal((null, null), (Partition(index).Leader, Partition(index).PlannedTo)));

        var next = _script.Register(name: "n7", kind: WalKind.Object);

        var share = Assert.Single(WaitingWals.SharesOf(_script.State, next));
        var waiting = Enumerable.Range(0, 4).Where(index => Partition(index).Leader is null).ToList();
        Assert.Equal(2, waiting.Count);
        Assert.Equal(waiting.Select(index => Partition(index).Stream), share.Ranges.Select(range => range.Stream));
        Assert.All(Enumerable.Range(0, 4).Except(waiting), index => Assert.Equal(next.Node, Partition(index).Leader));
    }

    [Fact]
    public void A_plan_comes_through_a_snapshot()
    {
        var nodes = Cluster(2, WalKind.Object);
        OpenAll(_script.CreateTopic("t", partitions: 4));
        Fence(nodes[0]);

        var read = new ClusterStateBuilder();
        foreach (var record in _script.State.ToRecords())
        {
            read.Add(record);
        }

        Assert.Equal(ClusterScript.Bytes(_script.State), ClusterScript.Bytes(read.Build()));
        Assert.Contains(nodes[1].Node, read.Build().Cluster.Topics["t"].Partitions.Select(partition => partition.PlannedTo));
    }

    private NodeIncarnation[] Cluster(int nodes, WalKind kind) =>
        [.. Enumerable.Range(0, nodes).Select(number => _script.Register(name: $"n{number}", kind: kind))];

    /// <summary>Those that lead open their partitions; only one of them, if it is named.</summary>
    private void OpenAll(TopicImage topic, NodeIncarnation? only = null)
    {
        foreach (var partition in topic.Partitions.Where(partition => only is null || partition.Leader == only.Value.Node))
        {
            var leader = _script.State.Cluster.Nodes[partition.Leader!.Value];
            _script.Open(new NodeIncarnation(leader.Id, leader.Epoch), partition.Stream, partition.Epoch.Value);
        }
    }

    private List<int> LedBy(NodeIncarnation node)
    {
        var partitions = _script.State.Cluster.Topics["t"].Partitions;
        List<int> led = [.. partitions.Where(partition => partition.Leader == node.Node).Select(partition => partition.Index)];
        Assert.NotEmpty(led);
        return led;
    }

    private IReadOnlyList<IRecord> Fence(NodeIncarnation node) => _script.Do<IReadOnlyList<IRecord>>(entry =>
    {
        NodeOperations.Fence(entry, node);
        return [.. entry.Records];
    });

    private IReadOnlyList<IRecord> Report(NodeIncarnation node, params string[] devices) => _script.Do<IReadOnlyList<IRecord>>(entry =>
    {
        NodeOperations.ReportDevices(entry, node, [.. devices]);
        return [.. entry.Records];
    });

    private PartitionImage Partition(int index) => _script.State.Cluster.Topics["t"].Partitions[index];
}
