using Millrace.Controller.Endpoint;
using Millrace.Controller.Messages;
using Millrace.Controller.Nodes;
using Millrace.Controller.State;
using Millrace.Controller.Streams;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Topics;

/// <summary>A partition that is led moves to another live node: the plan, and the entry that ends it.</summary>
public sealed class HandOverTests
{
    private readonly ClusterScript _script = new();
    private readonly NodeIncarnation[] _nodes;

    public HandOverTests()
    {
        _nodes = [.. Enumerable.Range(0, 3).Select(number => _script.Register(name: $"n{number}", kind: WalKind.Object))];
        var topic = _script.CreateTopic("t", partitions: 3);
        foreach (var partition in topic.Partitions)
        {
            _script.Open(_nodes[partition.Leader!.Value.Value], partition.Stream, 0);
        }
    }

    [Fact]
    public void A_planned_partition_is_led_by_its_leader_until_that_closes_it_and_by_the_other_from_the_same_entry_on()
    {
        Move(0, to: 1);
        Assert.Equal((_nodes[0].Node, 0, _nodes[1].Node), Described(0));
        Assert.True(Partition(0).Moves);
        _script.Upload(_nodes[0], Partition(0).Stream, 0, 0, 10);

        var records = Close(0, _nodes[0], end: 10);

        Assert.Equal(
            [typeof(StreamClosedRecord), typeof(PartitionLeadersRecord), typeof(StreamOpenedRecord)], records.Select(record => record.GetType()));
        Assert.Equal((_nodes[1].Node, 1, null), Described(0));
        Assert.Equal(new EpochRange(new StreamEpoch(1), 10, null, _nodes[1], null), Stream(0).OpenRange);
    }

    [Fact]
    public void The_next_leader_asks_how_its_stream_is_open_and_writes_nothing()
    {
        Move(0, to: 1);
        _script.Upload(_nodes[0], Partition(0).Stream, 0, 0, 10, checkpoint: true);
        Assert.Null(Ask(_nodes[1], epoch: 1));
        Close(0, _nodes[0], end: 10);

        var opening = Ask(_nodes[1], epoch: 1)!;

        Assert.Equal((0, 10, 1), (opening.StartOffset, opening.EndOffset, opening.RangeCount));
        Assert.Equal([(0L, 0L), (1, 10)], opening.Epochs.Select(start => (start.Epoch, start.StartOffset)));
        Assert.Equal((10, 10), (Assert.Single(opening.Ranges).EndOffset, opening.Checkpoint!.EndOffset));
        Assert.Empty(_script.Do<IReadOnlyList<IRecord>>(entry =>
        {
            StreamOperations.Open(entry, _nodes[1], Partition(0).Stream, new StreamEpoch(1));
            return [.. entry.Records];
        }));
        Assert.Null(Ask(_nodes[0], epoch: 0));
        Assert.Null(Ask(_nodes[0], epoch: 1));
        Assert.Null(Ask(_nodes[1], epoch: 0));

        _script.Do(entry => NodeOperations.Fence(entry, _nodes[1]));
        Assert.Null(Ask(_nodes[1], epoch: 1));
    }

    [Theory]
    [InlineData(WalKind.Object, true, true)]
    [InlineData(WalKind.Object, false, true)]
    [InlineData(WalKind.File, true, true)]
    [InlineData(WalKind.File, false, false)]
    [InlineData(null, true, false)]
    [InlineData(null, false, false)]
    public void A_stream_is_opened_for_whoever_has_a_WAL_that_can_be_read_if_it_dies_before_it_asks(WalKind? kind, bool hasOpened, bool isOpened)
    {
        // What is registered is not made yet, unless something was opened that would be written there.
        var next = _script.Register(withWal: false, name: "next");
        if (kind is { } known)
        {
            _script.RegisterWal(next, known);
        }

        if (hasOpened)
        {
            _script.OpenStream(next);
        }

        Move(0, to: next.Node.Value);
        Close(0, _nodes[0], end: 0);

        Assert.Equal((next.Node, 1, null), Described(0));
        Assert.Equal(isOpened, Stream(0).OpenRange?.Owner == next);
        Assert.Equal(0, _script.Open(next, Partition(0).Stream, 1).EndOffset);
    }

    [Fact]
    public void A_next_leader_that_dies_before_it_asked_has_its_partition_recovered_from_a_WAL_that_has_nothing_of_it()
    {
        Move(0, to: 1);
        _script.Upload(_nodes[0], Partition(0).Stream, 0, 0, 10);
        Close(0, _nodes[0], end: 10);

        _script.Do(entry => NodeOperations.Fence(entry, _nodes[1]));
        Assert.Null(Partition(0).Leader);
        var survivor = _nodes.Single(node => node.Node == Partition(0).PlannedTo);
        var share = Assert.Single(WaitingWals.SharesOf(_script.State, survivor));
        Assert.Contains(new ShareRange(Partition(0).Stream, new StreamEpoch(1), 10), share.Ranges);

        _script.Do(entry => ClusterScript.Recover(entry, survivor, share.WalId));
        Assert.Equal((survivor.Node, 2, null), Described(0));
        Assert.Equal(10, _script.Open(survivor, Partition(0).Stream, 2).EndOffset);
    }

    [Fact]
    public void Nothing_is_opened_for_a_next_leader_that_the_same_entry_has_fenced()
    {
        Move(0, to: 1);

        _script.Do(entry =>
        {
            NodeOperations.Fence(entry, _nodes[1]);
            StreamRequests.Decide(entry, Closing(_nodes[0], [(Partition(0).Stream, 0)], handsOver: true));
        });

        Assert.Equal((_nodes[0].Node, 1, null), Described(0));
        Assert.Equal(_nodes[0], Stream(0).OpenRange?.Owner);
        Assert.DoesNotContain(_script.State.Streams.OpenStreamsOf(_nodes[1]), stream => stream == Partition(0).Stream);
    }

    [Fact]
    public void A_partition_that_is_planned_onwards_before_its_leader_has_opened_it_is_handed_over_by_that_one()
    {
        Move(0, to: 1);
        Close(0, _nodes[0], end: 0);

        Move(0, to: 2);
        Assert.Equal((_nodes[1].Node, 1, _nodes[2].Node), Described(0));
        Close(0, _nodes[1], end: 0, epoch: 1);

        Assert.Equal((_nodes[2].Node, 2, null), Described(0));
        Assert.Equal(_nodes[2], Stream(0).OpenRange?.Owner);
    }

    [Fact]
    public void A_topic_that_is_deleted_before_the_next_leader_has_asked_keeps_it_from_nothing()
    {
        Move(0, to: 1);
        Close(0, _nodes[0], end: 0);

        _script.DeleteTopic("t");

        Assert.Empty(_script.Do(entry => NodeOperations.Stop(entry, _nodes[1])));
    }

    [Fact]
    public void A_next_leader_that_leaves_without_having_asked_is_told_what_to_close()
    {
        Move(0, to: 1);
        _script.Upload(_nodes[0], Partition(0).Stream, 0, 0, 10);
        Close(0, _nodes[0], end: 10);
        Close(1, _nodes[1], end: 0, handsOver: false);

        var open = Assert.Single(_script.Do(entry => NodeOperations.Stop(entry, _nodes[1])));
        Assert.Equal(new StreamClose(Partition(0).Stream, new StreamEpoch(1), 10), open);
        _script.Do(entry => StreamOperations.Close(entry, _nodes[1], open.Stream, open.Epoch, open.EndOffset));

        Assert.Empty(_script.Do(entry => NodeOperations.Stop(entry, _nodes[1])));
        Assert.Equal(2, Partition(0).LeaderEpoch);
        Assert.NotEqual(_nodes[1].Node, Partition(0).Leader);
        Assert.Equal(10, _script.Open(_nodes.Single(node => node.Node == Partition(0).Leader), Partition(0).Stream, 2).EndOffset);
    }

    [Fact]
    public void What_is_given_back_to_a_node_that_is_drained_is_the_next_ones_at_once_and_opened_for_it()
    {
        Move(0, to: 1);
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[1]));
        _script.Do(entry => entry.Add(new BrokerConfigRecord { NodeId = _nodes[0].Node.Value, Name = BrokerConfigs.Drained, Value = "true" }));

        Close(0, _nodes[0], end: 0);

        Assert.Equal((_nodes[2].Node, 2, null), Described(0));
        Assert.Equal((_nodes[2], 2L), (Stream(0).OpenRange!.Value.Owner, Stream(0).OpenRange!.Value.Epoch.Value));
    }

    [Fact]
    public void How_far_the_next_leader_has_read_is_kept_until_another_is_planned_or_leads()
    {
        WarmedUp(_nodes[1], 5);
        Assert.Equal(0, Partition(0).WarmTo);
        Move(0, to: 1);
        WarmedUp(_nodes[1], 5);
        WarmedUp(_nodes[2], 6);
        WarmedUp(_nodes[1], 4);
        Assert.Equal(5, Partition(0).WarmTo);

        Move(0, to: 2);
        Assert.Equal(0, Partition(0).WarmTo);
        WarmedUp(_nodes[2], 6);
        Assert.Equal(6, Partition(0).WarmTo);
        Assert.Equal(6, Partition(0).ToRecord(Guid.Empty).WarmTo);
        Close(0, _nodes[0], end: 0);
        Assert.Equal((_nodes[2].Node, 0L), (Partition(0).Leader!.Value, Partition(0).WarmTo));

        void WarmedUp(NodeIncarnation node, long end) =>
            _script.Do(entry => NodeRequests.WarmedUp(entry, new WarmedUpRequest
            {
                NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value, TopicId = _script.State.Cluster.Topics["t"].Id, Partition = 0, EndOffset = end,
            }));
    }

    [Fact]
    public void The_commit_of_the_last_records_closes_and_appoints_in_the_same_entry_and_is_repeatable()
    {
        Move(0, to: 1);
        var id = _script.Prepare(_nodes[0]);

        var (records, response) = Commit(id, end: 10, closesAt: 10);

        Assert.Equal(
            [typeof(UploadCommittedRecord), typeof(StreamClosedRecord), typeof(PartitionLeadersRecord), typeof(StreamOpenedRecord)],
            records.Select(record => record.GetType()));
        Assert.Equal((short)0, Assert.Single(response.Committed[0].Closed).ErrorCode);
        Assert.Equal((_nodes[1].Node, 1, null), Described(0));
        Assert.Equal(10, _script.Open(_nodes[1], Partition(0).Stream, 1).EndOffset);

        (records, response) = Commit(id, end: 10, closesAt: 10);

        Assert.Empty(records);
        Assert.Equal((sbyte)RangeOutcome.Accepted, response.Committed[0].Verdicts[0].Outcome);
        Assert.Equal((short)0, Assert.Single(response.Committed[0].Closed).ErrorCode);
        Assert.Equal((_nodes[1].Node, 1, null), Described(0));
    }

    [Fact]
    public void A_commit_that_is_refused_closes_nothing_and_a_close_that_is_refused_leaves_the_commit()
    {
        Move(0, to: 1);
        var id = _script.Prepare(_nodes[0]);

        var (records, response) = Commit(new ObjectId(id.Value + 1), end: 10, closesAt: 10);
        Assert.Empty(records);
        Assert.NotEqual((short)0, response.Committed[0].ErrorCode);
        Assert.Empty(response.Committed[0].Closed);

        (records, response) = Commit(id, end: 10, closesAt: 11);
        Assert.Equal([typeof(UploadCommittedRecord)], records.Select(record => record.GetType()));
        Assert.NotEqual((short)0, Assert.Single(response.Committed[0].Closed).ErrorCode);
        Assert.Equal((_nodes[0].Node, 0, _nodes[1].Node), Described(0));
    }

    [Fact]
    public void A_hand_over_is_repeatable_also_when_the_next_leader_has_opened_the_stream()
    {
        Move(0, to: 1);
        _script.Upload(_nodes[0], Partition(0).Stream, 0, 0, 10);
        Close(0, _nodes[0], end: 10);
        _script.Open(_nodes[1], Partition(0).Stream, 1);

        Assert.Empty(Close(0, _nodes[0], end: 10));

        Assert.Equal((_nodes[1].Node, 1, null), Described(0));
    }

    [Fact]
    public void The_hand_over_of_a_partition_that_was_idle_is_repeatable_when_the_next_leader_has_opened_the_stream()
    {
        Move(0, to: 1);
        Close(0, _nodes[0], end: 0);
        _script.Open(_nodes[1], Partition(0).Stream, 1);

        Assert.Empty(Decide(_nodes[0], [(Partition(0).Stream, 0)], out var error));

        Assert.Equal(0, error);
        Assert.Equal((_nodes[1].Node, 1, null), Described(0));
        Decide(_nodes[0], [(Partition(0).Stream, 1)], out error);
        Assert.NotEqual(0, error);
    }

    [Fact]
    public void Whoever_hands_over_when_the_plan_has_ended_leads_again_at_a_higher_epoch()
    {
        Move(0, to: 1);
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[1]));
        Assert.Equal((_nodes[0].Node, 0, null), Described(0));

        Close(0, _nodes[0], end: 0);

        Assert.Equal((_nodes[0].Node, 1, null), Described(0));
        Assert.Equal(new EpochRange(new StreamEpoch(1), 0, null, _nodes[0], null), Stream(0).OpenRange);
    }

    [Fact]
    public void Many_that_are_handed_over_together_take_one_record()
    {
        _script.CreateTopic("u", partitions: 12);
        var led = _script.State.Cluster.Topics["u"].Partitions.Where(partition => partition.Leader == _nodes[0].Node).ToArray();
        foreach (var partition in led)
        {
            _script.Open(_nodes[0], partition.Stream, 0);
        }

        Reassign("u", [.. led.Select(partition => (partition.Index, (int[]?)[2]))]);
        var records = Decide(_nodes[0], [.. led.Select(partition => (partition.Stream, 0L))]);

        Assert.Equal(4, led.Length);
        Assert.Single(records.OfType<PartitionLeadersRecord>());
        Assert.All(led, partition => Assert.Equal(_nodes[2].Node, _script.State.Cluster.Topics["u"].Partitions[partition.Index].Leader));
    }

    [Fact]
    public void What_is_refused_appoints_nobody()
    {
        Move(0, to: 1);
        _script.Upload(_nodes[0], Partition(0).Stream, 0, 0, 10);

        Assert.Empty(Close(0, _nodes[0], end: 9));
        Assert.Empty(Close(0, _nodes[2], end: 10));

        Assert.Equal((_nodes[0].Node, 0, _nodes[1].Node), Described(0));
    }

    [Fact]
    public void A_leader_that_is_fenced_takes_its_moves_with_it_and_its_partitions_are_planned_as_any_others()
    {
        Move(0, to: 1);

        var records = _script.Do<IReadOnlyList<IRecord>>(entry =>
        {
            NodeOperations.Fence(entry, _nodes[0]);
            return [.. entry.Records];
        });

        Assert.Null(Partition(0).Leader);
        Assert.NotNull(Partition(0).PlannedTo);
        Assert.Single(records.OfType<PartitionPlansRecord>());
        Assert.Single(WaitingWals.SharesOf(_script.State, _nodes.Single(node => node.Node == Partition(0).PlannedTo)));
    }

    [Fact]
    public void A_move_to_a_node_that_leaves_or_comes_anew_ends()
    {
        Move(0, to: 1);
        _script.Register(name: "n1", kind: WalKind.Object);
        Assert.Equal((_nodes[0].Node, 0, null), Described(0));

        Move(0, to: 2);
        Close(2, _nodes[2], end: 0, handsOver: false);
        _script.Do(entry => NodeOperations.Stop(entry, _nodes[2]));

        Assert.Equal((_nodes[0].Node, 0, null), Described(0));
    }

    [Fact]
    public void What_a_node_leads_that_is_about_to_leave_is_planned_to_the_others_evenly()
    {
        _script.CreateTopic("u", partitions: 12);

        _script.Do(entry => Evacuation.Plan(entry, _nodes[0].Node));

        // What is open moves, what was never opened has another leader at once.
        Assert.True(Partition(0).Moves);
        var led = _script.State.Cluster.Topics["u"].Partitions.Select(partition => partition.Leader!.Value).ToArray();
        Assert.Equal([(_nodes[1].Node, 6), (_nodes[2].Node, 6)], led.CountBy(leader => leader).Select(count => (count.Key, count.Value)).Order());
    }

    [Fact]
    public void The_last_node_keeps_what_it_leads()
    {
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[1]));
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[2]));

        _script.Do(entry => Evacuation.Plan(entry, _nodes[0].Node));

        Assert.Equal((_nodes[0].Node, 0, null), Described(0));
    }

    [Fact]
    public void A_node_that_is_to_have_a_partition_has_no_share_of_a_WAL_for_it()
    {
        Move(0, to: 1);

        Assert.Empty(WaitingWals.SharesOf(_script.State, _nodes[1]));
        Assert.Equal(StreamError.Fenced, Assert.Throws<StreamException>(() => _script.Open(_nodes[1], Partition(0).Stream, 1)).Error);
    }

    private void Move(int partition, int to) => Reassign("t", (partition, [to]));

    private void Reassign(string topic, params (int Partition, int[]? Replicas)[] wanted)
    {
        var response = _script.Do(entry => Reassignment.Alter(entry, new AlterPartitionReassignmentsRequest
        {
            Topics =
            [
                new()
                {
                    Name = topic,
                    Partitions = [.. wanted.Select(one => new AlterPartitionReassignmentsRequest.ReassignablePartition
                    {
                        PartitionIndex = one.Partition, Replicas = one.Replicas,
                    })],
                },
            ],
        }));
        Assert.All(response.Responses[0].Partitions, partition => Assert.Equal((short)ErrorCode.None, partition.ErrorCode));
    }

    private IReadOnlyList<IRecord> Close(int partition, NodeIncarnation node, long end, bool handsOver = true, long epoch = 0) =>
        Decide(node, [(Partition(partition).Stream, end)], out _, handsOver, epoch);

    /// <summary>Closes streams at the epoch that they have at first.</summary>
    private IReadOnlyList<IRecord> Decide(NodeIncarnation node, IReadOnlyList<(StreamId Stream, long End)> streams) => Decide(node, streams, out _);

    /// <summary>As above, with what the first of them is answered.</summary>
    private IReadOnlyList<IRecord> Decide(
        NodeIncarnation node, IReadOnlyList<(StreamId Stream, long End)> streams, out short error, bool handsOver = true, long epoch = 0)
    {
        short first = -1;
        var records = _script.Do<IReadOnlyList<IRecord>>(entry =>
        {
            var response = StreamRequests.Decide(entry, Closing(node, streams, handsOver, epoch));
            first = response.Closed[0].ErrorCode;
            return [.. entry.Records];
        });
        error = first;
        return records;
    }

    private static StreamOpsRequest Closing(
        NodeIncarnation node, IReadOnlyList<(StreamId Stream, long End)> streams, bool handsOver, long epoch = 0) =>
        new()
        {
            NodeId = node.Node.Value,
            NodeEpoch = node.Epoch.Value,
            Closes =
            [
                .. streams.Select(stream => new StreamOpsRequest.Close
                {
                    StreamId = stream.Stream.Value, Epoch = epoch, EndOffset = stream.End, HandsOver = handsOver,
                }),
            ],
        };

    /// <summary>How partition 0's stream is open for a node at an epoch, as it is answered by committed state alone.</summary>
    private StreamOpsResponse.OpenResult? Ask(NodeIncarnation node, long epoch) =>
        Assert.Single(StreamRequests.TryAnswer(_script.State, new StreamOpsRequest
        {
            NodeId = node.Node.Value,
            NodeEpoch = node.Epoch.Value,
            OpenQueries = [new() { StreamId = Partition(0).Stream.Value, Epoch = epoch }],
        })!.OpenAnswers).Opening;

    /// <summary>Partition 0's records from 0 on, in one object, by its first leader.</summary>
    private (IReadOnlyList<IRecord> Records, StreamOpsResponse Response) Commit(ObjectId id, long end, long closesAt)
    {
        var stream = Partition(0).Stream;
        return _script.Do<(IReadOnlyList<IRecord>, StreamOpsResponse)>(entry =>
        {
            var response = StreamRequests.Decide(entry, new StreamOpsRequest
            {
                NodeId = _nodes[0].Node.Value,
                NodeEpoch = _nodes[0].Epoch.Value,
                Commits =
                [
                    new()
                    {
                        Ranges = [RangeForms.To<StreamOpsRequest.CommittedRange>(ClusterScript.Range(id, stream, 0, 0, end))],
                        Closes = [new() { StreamId = stream.Value, Epoch = 0, EndOffset = closesAt, HandsOver = true }],
                    },
                ],
            });
            return ([.. entry.Records], response);
        });
    }

    private (NodeId? Leader, int Epoch, NodeId? PlannedTo) Described(int index) =>
        (Partition(index).Leader, Partition(index).LeaderEpoch, Partition(index).PlannedTo);

    private StreamState Stream(int index) => _script.Stream(Partition(index).Stream);

    private PartitionImage Partition(int index) => _script.State.Cluster.Topics["t"].Partitions[index];
}
