using Millrace.Controller.Nodes;
using Millrace.Controller.Objects;
using Millrace.Controller.Streams;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Nodes;

public sealed class NodeOperationsTests
{
    private readonly ClusterScript _script = new();

    [Fact]
    public void Registration_is_repeatable_by_incarnation()
    {
        var registration = new NodeRegistration(_script.Random.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "h", 1)], null);

        var first = _script.Do(entry => NodeOperations.Register(entry, registration));
        var second = _script.Do(entry => NodeOperations.Register(entry, registration));

        Assert.Equal(first, second);
        Assert.Single(_script.State.Cluster.Nodes);
    }

    [Fact]
    public void A_node_that_comes_again_by_its_name_has_the_same_id_and_its_former_incarnation_is_fenced()
    {
        var first = _script.Register();
        _script.OpenStream(first);
        var second = _script.Register();

        Assert.Equal(first.Node, second.Node);
        Assert.True(second.Epoch > first.Epoch);
        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(() => _script.Prepare(first)).Error);
        Assert.Equal(WalState.AwaitsRecovery, _script.State.Cluster.Wals.Values.Single(wal => wal.Epoch == first.Epoch).State);
    }

    [Fact]
    public void A_node_has_the_id_that_its_operator_gave_it_and_keeps_it()
    {
        var first = RegisterAs(new NodeId(7));
        var second = RegisterAs(new NodeId(7));
        var third = RegisterAs(null);

        Assert.All([first, second, third], node => Assert.Equal(new NodeId(7), node.Node));
        Assert.Contains("node.id=7", Assert.Throws<RegistrationException>(() => RegisterAs(new NodeId(8))).Message, StringComparison.Ordinal);
        Assert.True(_script.State.Cluster.IsLive(third.Node));
    }

    [Theory]
    [InlineData(2_500, 3_000, true)]
    [InlineData(2_500, 4_000, true)]
    [InlineData(5_000, 6_000, false)]
    [InlineData(1_000, 1_500, false)]
    public void A_node_is_refused_whose_leases_outlast_the_patience_of_one_that_lives_or_the_other_way_round(int lease, int fence, bool expected)
    {
        var first = Register("first", 2_500, 3_000);

        if (expected)
        {
            Assert.NotEqual(first.Node, Register("second", lease, fence).Node);
        }
        else
        {
            Assert.Contains("Set them alike", Assert.Throws<RegistrationException>(() => Register("second", lease, fence)).Message, StringComparison.Ordinal);
        }

        // By itself, or after all others, a node may come with whatever it is set to.
        Assert.Equal(first.Node, expected ? first.Node : Register("first", lease, fence).Node);

        NodeIncarnation Register(string name, int leaseMs, int fenceMs) =>
            _script.Do(entry => NodeOperations.Register(
                entry, new NodeRegistration(_script.Random.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "h", 1)], null)
                {
                    Name = name,
                    Times = new NodeTimes(TimeSpan.FromMilliseconds(leaseMs), TimeSpan.FromMilliseconds(fenceMs)),
                }));
    }

    [Fact]
    public void Nodes_of_other_names_are_other_nodes()
    {
        var first = _script.Register();
        var second = _script.Do(entry => NodeOperations.Register(
            entry, new NodeRegistration(_script.Random.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "h", 1)], null) { Name = "another" }));

        Assert.NotEqual(first.Node, second.Node);
        Assert.Equal(2, _script.State.Cluster.LiveNodes.Count());
    }

    [Fact]
    public void A_fenced_incarnation_registers_no_more()
    {
        var registration = new NodeRegistration(_script.Random.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "h", 1)], null);
        var node = _script.Do(entry => NodeOperations.Register(entry, registration));
        _script.Do(entry => NodeOperations.Fence(entry, node));

        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(() => _script.Do(entry => NodeOperations.Register(entry, registration))).Error);
    }

    [Fact]
    public void Streams_wait_for_the_WAL_of_a_fenced_incarnation_and_open_after_its_recovery()
    {
        var node = _script.Register();
        var topic = _script.CreateTopic("t", partitions: 2);
        var stream = topic.Partitions[1].Stream;
        _script.Open(node, stream, 0);
        var next = _script.Register();

        var waiting = Assert.Single(WaitingWals.Waiting(_script.State));
        Assert.Equal(["t-1"], waiting.Streams.Select(item => item.ToString()));
        Assert.Equal((next.Node, 1), (Partition("t", 0).Leader, Partition("t", 0).LeaderEpoch));
        Assert.Equal((null, next.Node), (Partition("t", 1).Leader, Partition("t", 1).PlannedTo));

        _script.Do(entry => ClusterScript.Recover(entry, next, waiting.Wal.Id));
        Assert.Empty(WaitingWals.Waiting(_script.State));
        Assert.Equal((next.Node, 1, null), (Partition("t", 1).Leader, Partition("t", 1).LeaderEpoch, Partition("t", 1).PlannedTo));
        Assert.Equal(0, _script.Open(next, stream, 1).EndOffset);
    }

    [Fact]
    public void The_leaders_of_a_topic_are_one_record_that_names_those_with_the_same_one_after_another_once()
    {
        var node = _script.Register();
        _script.CreateTopic("other");
        var topic = _script.CreateTopic("t", partitions: 5);
        _script.Open(node, topic.Partitions[2].Stream, 0);

        var records = _script.Do(entry =>
        {
            NodeOperations.Register(
                entry, new NodeRegistration(_script.Random.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "h", 1)], null) { Name = "node" });
            return entry.Records.ToList();
        });

        Assert.Equal(2, records.OfType<PartitionLeadersRecord>().Count());
        var leaders = records.OfType<PartitionLeadersRecord>().Last();
        Assert.Equal((topic.Id, node.Node.Value), (leaders.TopicId, leaders.Ranges[0].Leader));
        Assert.Equal([(0, 2), (3, 2)], leaders.Ranges.Select(range => (range.First, range.Count)));
        Assert.Equal([1, 1, 0, 1, 1], _script.State.Cluster.Topics["t"].Partitions.Select(partition => partition.LeaderEpoch));
    }

    [Fact]
    public void An_unrecovered_stream_does_not_open_even_at_its_assigned_epoch()
    {
        var node = _script.Register();
        var stream = _script.OpenStream(node);
        var next = _script.Register();

        Assert.Equal(StreamError.Incomplete, Assert.Throws<StreamException>(() => _script.Open(next, stream, 1)).Error);
    }

    [Fact]
    public void An_incarnation_that_never_had_a_WAL_leaves_nothing_to_recover()
    {
        var node = _script.Register(withWal: false);
        var stream = _script.OpenStream(node);

        var next = _script.Register();

        Assert.Empty(WaitingWals.Waiting(_script.State));
        Assert.Equal(0, _script.Open(next, stream, 1).EndOffset);
    }

    [Fact]
    public void Recovery_is_repeatable_and_refused_while_the_owner_lives_or_by_a_fenced_recoverer()
    {
        var node = _script.Register();
        _script.OpenStream(node);
        var wal = _script.State.Cluster.Wals.Keys.Single();
        Assert.Equal(
            StreamError.Incomplete,
            Assert.Throws<StreamException>(() => _script.Do(entry => ClusterScript.Recover(entry, node, wal))).Error);

        var next = _script.Register();
        Assert.Equal(
            StreamError.Fenced,
            Assert.Throws<StreamException>(() => _script.Do(entry => ClusterScript.Recover(entry, node, wal))).Error);
        _script.Do(entry => ClusterScript.Recover(entry, next, wal));
        _script.Do(entry => ClusterScript.Recover(entry, next, wal));
        Assert.Equal(WalState.Retired, _script.State.Cluster.Wals[wal].State);
        Assert.Empty(_script.Do(entry => WaitingWals.AcceptLoss(entry, wal, null)));
    }

    [Fact]
    public void Retired_WALs_are_known_until_their_space_is_given_back_and_no_other_is_forgotten()
    {
        var first = _script.Register();
        var wal = _script.State.Cluster.Wals.Keys.Single();
        _script.Do(entry => NodeOperations.Stop(entry, first));
        Assert.Equal([wal], WalOperations.Retired(_script.State).Select(item => item.Id));
        var second = _script.Register();
        var own = _script.State.Cluster.Wals.Keys.Single(id => id != wal);
        _script.OpenStream(second);
        var third = _script.Register();

        Assert.Equal(
            StreamError.Fenced, Assert.Throws<StreamException>(() => _script.Do(entry => WalOperations.ForgetWals(entry, second, [wal]))).Error);
        _script.Do(entry => WalOperations.ForgetWals(entry, third, [wal, own]));
        Assert.Equal(WalState.AwaitsRecovery, _script.State.Cluster.Wals[own].State);
        Assert.DoesNotContain(wal, _script.State.Cluster.Wals.Keys);
    }

    [Fact]
    public void An_incarnation_that_has_left_may_say_that_its_WAL_is_gone()
    {
        var node = _script.Register();
        _script.Do(entry => NodeOperations.Stop(entry, node));
        _script.Do(entry => WalOperations.ForgetWals(entry, node, [_script.State.Cluster.Wals.Keys.Single()]));
        Assert.Empty(_script.State.Cluster.Wals);
    }

    [Fact]
    public void A_damaged_stream_waits_alone_for_somebody_who_accepts_the_loss()
    {
        var node = _script.Register();
        var (damaged, whole) = (_script.OpenStream(node), _script.OpenStream(node));
        _script.Upload(node, damaged, 0, 0, 5);
        var next = _script.Register();
        var wal = Assert.Single(WaitingWals.Waiting(_script.State)).Wal.Id;
        for (var i = 0; i < 2; i++)
        {
            _script.Do(entry => StreamOperations.ReportDamage(entry, next, wal, damaged, new StreamEpoch(0)));
            Assert.Equal([damaged], _script.Do(entry => ClusterScript.Recover(entry, next, wal)).Damaged);
        }

        Assert.Equal(0, _script.Open(next, whole, 1).EndOffset);
        Assert.Equal(StreamError.Incomplete, Assert.Throws<StreamException>(() => _script.Open(next, damaged, 1)).Error);
        Assert.Equal([damaged], Assert.Single(WaitingWals.Waiting(_script.State)).Streams.Select(item => item.Stream));

        Assert.Equal([damaged], _script.Do(entry => WaitingWals.AcceptLoss(entry, wal, new HashSet<StreamId> { damaged })).Select(item => item.Stream));
        Assert.Equal(5, _script.Open(next, damaged, 1).EndOffset);
        Assert.False(_script.Stream(damaged).IsDamaged);
        Assert.Empty(WaitingWals.Waiting(_script.State));
    }

    [Fact]
    public void What_a_living_node_reports_as_damaged_is_not_complete_when_its_WAL_is_recovered()
    {
        var node = _script.Register();
        var stream = _script.OpenStream(node);
        _script.Do(entry => StreamOperations.ReportDamage(entry, node, null, stream, new StreamEpoch(0)));
        Assert.Equal([new StreamClose(stream, new StreamEpoch(0), 0)], _script.Do(entry => NodeOperations.Stop(entry, node)));
        var next = _script.Register();

        Assert.Equal(
            [stream],
            _script.Do(entry => ClusterScript.Recover(entry, next, Assert.Single(WaitingWals.Waiting(_script.State)).Wal.Id)).Damaged);
    }

    [Fact]
    public void Damage_is_noted_only_of_a_range_that_is_open_in_that_name()
    {
        var node = _script.Register();
        var stream = _script.OpenStream(node);
        _script.Do(entry => StreamOperations.ReportDamage(entry, node, null, stream, new StreamEpoch(1)));
        _script.Do(entry => StreamOperations.ReportDamage(entry, node, _script.Random.NewId(), stream, new StreamEpoch(0)));
        _script.Do(entry => StreamOperations.ReportDamage(entry, node, null, new StreamId(99), new StreamEpoch(0)));
        Assert.False(_script.Stream(stream).IsDamaged);
    }

    [Fact]
    public void A_clean_stop_needs_closed_streams_and_leaves_nothing_to_wait_for()
    {
        var node = _script.Register();
        var stream = _script.OpenStream(node);
        _script.Upload(node, stream, 0, 0, 5);
        Assert.Equal([new StreamClose(stream, new StreamEpoch(0), 5)], _script.Do(entry => NodeOperations.Stop(entry, node)));
        Assert.True(_script.State.IsLive(node));

        _script.Do(entry => StreamOperations.Close(entry, node, stream, new StreamEpoch(0), 5));
        Assert.Empty(_script.Do(entry => NodeOperations.Stop(entry, node)));
        Assert.Empty(_script.Do(entry => NodeOperations.Stop(entry, node)));

        Assert.Equal(WalState.Retired, _script.State.Cluster.Wals.Values.Single().State);
        Assert.Equal(NodeState.Stopped, _script.State.Cluster.Nodes[node.Node].State);
    }

    [Fact]
    public void A_loss_is_accepted_by_stream_and_the_WAL_waits_for_the_others()
    {
        var node = _script.Register();
        var first = _script.OpenStream(node);
        var second = _script.OpenStream(node);
        _script.Upload(node, first, 0, 0, 5);
        var next = _script.Register();
        var wal = Assert.Single(WaitingWals.Waiting(_script.State)).Wal.Id;

        var lost = _script.Do(entry => WaitingWals.AcceptLoss(entry, wal, new HashSet<StreamId> { first }));

        Assert.Equal([first], lost.Select(item => item.Stream));
        Assert.Null(StreamOperations.RecoverableEnd(_script.State, wal, first, new StreamEpoch(0)));
        Assert.Equal(0, StreamOperations.RecoverableEnd(_script.State, wal, second, new StreamEpoch(0)));
        Assert.Equal(5, _script.Open(next, first, 1).EndOffset);
        Assert.Equal([second], Assert.Single(WaitingWals.Waiting(_script.State)).Streams.Select(item => item.Stream));

        Assert.Equal([second], _script.Do(entry => WaitingWals.AcceptLoss(entry, wal, null)).Select(item => item.Stream));
        Assert.Empty(WaitingWals.Waiting(_script.State));
    }

    [Fact]
    public void What_a_lost_WAL_holds_of_a_stream_that_was_given_up_does_not_count_later()
    {
        var node = _script.Register();
        var stream = _script.OpenStream(node);
        _script.OpenStream(node);
        var next = _script.Register();
        var wal = Assert.Single(WaitingWals.Waiting(_script.State)).Wal.Id;
        _script.Do(entry => WaitingWals.AcceptLoss(entry, wal, new HashSet<StreamId> { stream }));
        _script.Open(next, stream, 1);
        var id = _script.Prepare(next);

        var verdict = Assert.Single(_script.Commit(next, wal, ClusterScript.Range(id, stream, 0, 0, 9)));

        Assert.Equal(Millrace.Streams.Registry.RangeOutcome.Void, verdict.Outcome);
        Assert.Equal(0, _script.Stream(stream).CommittedEnd);
    }

    [Fact]
    public void Offsets_that_were_trimmed_away_do_not_come_back_with_an_accepted_loss()
    {
        var node = _script.Register();
        var stream = _script.OpenStream(node);
        _script.Do(entry => StreamOperations.Trim(entry, node, stream, new StreamEpoch(0), 12));
        var next = _script.Register();
        _script.Do(entry => WaitingWals.AcceptLoss(entry, Assert.Single(WaitingWals.Waiting(_script.State)).Wal.Id, null));

        Assert.Equal((12, 12), (_script.Open(next, stream, 1).StartOffset, _script.Open(next, stream, 1).EndOffset));
    }

    [Fact]
    public void Prepares_of_a_fenced_incarnation_are_void()
    {
        var node = _script.Register();
        var id = _script.Prepare(node, 3);
        _script.Register();

        _script.Do(entry => ObjectOperations.BeginDeletion(entry, [], 10));

        Assert.Equal([id.Value, id.Value + 1, id.Value + 2], _script.State.Streams.Objects.Deleting.Select(item => item.Value));
    }

    private PartitionImage Partition(string topic, int index) => _script.State.Cluster.Topics[topic].Partitions[index];

    private NodeIncarnation RegisterAs(NodeId? id) =>
        _script.Do(entry => NodeOperations.Register(
            entry, new NodeRegistration(_script.Random.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "h", 1)], null, id) { Name = "node" }));
}
