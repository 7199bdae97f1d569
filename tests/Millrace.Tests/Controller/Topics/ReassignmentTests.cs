using Millrace.Controller.Nodes;
using Millrace.Controller.Topics;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Topics;

/// <summary>What becomes of partitions whose replicas are changed, or whose preferred leaders are elected. Three nodes; node 0 leads partition 0.</summary>
public sealed class ReassignmentTests
{
    private readonly ClusterScript _script = new();
    private readonly NodeIncarnation[] _nodes;

    public ReassignmentTests()
    {
        _nodes = [.. Enumerable.Range(0, 3).Select(number => _script.Register(name: $"n{number}", kind: WalKind.Object))];
        var topic = _script.CreateTopic("t", partitions: 3, replicationFactor: 2);
        Assert.Equal([0, 1], Replicas(0));
        foreach (var partition in topic.Partitions)
        {
            _script.Open(_nodes[partition.Leader!.Value.Value], partition.Stream, 0);
        }
    }

    [Fact]
    public void The_replicas_change_at_once_and_the_first_that_lives_is_to_lead()
    {
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[1]));

        Assert.Equal(ErrorCode.None, Reassign(0, 1, 2));

        Assert.Equal([1, 2], Replicas(0));
        Assert.Equal((0, 2), LedAndPlanned(0));
    }

    [Fact]
    public void A_leader_that_is_among_the_replicas_stays_and_a_move_that_was_under_way_ends()
    {
        Reassign(0, 2);
        Assert.Equal((0, 2), LedAndPlanned(0));

        Assert.Equal(ErrorCode.None, Reassign(0, 1, 0));

        Assert.Equal([1, 0], Replicas(0));
        Assert.Equal((0, null), LedAndPlanned(0));
    }

    [Fact]
    public void Where_no_replica_lives_the_leader_stays()
    {
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[1]));

        Assert.Equal(ErrorCode.None, Reassign(0, 1));

        Assert.Equal((0, null), LedAndPlanned(0));
        Assert.Equal([0, 1], _script.State.Cluster.Replicas(Partition(0)).Select(replica => replica.Value));
    }

    [Fact]
    public void What_its_leader_has_not_opened_is_the_others_at_once()
    {
        _script.CreateTopic("u");
        var partition = _script.State.Cluster.Topics["u"].Partitions[0];
        var other = (partition.Leader!.Value.Value + 1) % 3;

        AlterAll(new AlterPartitionReassignmentsRequest.ReassignableTopic
        {
            Name = "u", Partitions = [new() { PartitionIndex = 0, Replicas = [other] }],
        });

        var moved = _script.State.Cluster.Topics["u"].Partitions[0];
        Assert.Equal((new NodeId(other), 1, null), (moved.Leader, moved.LeaderEpoch, moved.PlannedTo));
    }

    [Fact]
    public void A_move_is_cancelled_and_one_that_is_not_under_way_cannot_be()
    {
        Reassign(0, 2);

        Assert.Equal(ErrorCode.None, Reassign(0));
        Assert.Equal((0, null), LedAndPlanned(0));
        Assert.Equal([2], Replicas(0));

        Assert.Equal(ErrorCode.NoReassignmentInProgress, Reassign(0));
    }

    [Fact]
    public void What_cannot_be_is_refused_by_Kafkas_codes_and_the_rest_is_done()
    {
        var results = AlterAll(
            new AlterPartitionReassignmentsRequest.ReassignableTopic
            {
                Name = "t",
                Partitions =
                [
                    new() { PartitionIndex = 0, Replicas = [] },
                    new() { PartitionIndex = 1, Replicas = [7] },
                    new() { PartitionIndex = 2, Replicas = [1, 0] },
                    new() { PartitionIndex = 3, Replicas = [0] },
                ],
            },
            new() { Name = "none", Partitions = [new() { PartitionIndex = 0, Replicas = [0] }] },
            new() { Name = "t", Partitions = [new() { PartitionIndex = 0, Replicas = [2, 2] }, new() { PartitionIndex = 1, Replicas = [0, 1, 2] }] },
            new() { Name = "t", Partitions = [new() { PartitionIndex = 0, Replicas = [2, 1] }, new() { PartitionIndex = 0, Replicas = [1, 2] }] });

        Assert.Equal(
            [
                ErrorCode.InvalidReplicaAssignment, ErrorCode.InvalidReplicaAssignment, ErrorCode.None, ErrorCode.UnknownTopicOrPartition,
                ErrorCode.UnknownTopicOrPartition, ErrorCode.InvalidReplicaAssignment, ErrorCode.InvalidReplicationFactor,
                ErrorCode.InvalidRequest, ErrorCode.InvalidRequest,
            ],
            results);
        Assert.Equal((2, 1), LedAndPlanned(2));
        Assert.Equal((0, null), LedAndPlanned(0));
    }

    [Fact]
    public void Places_whose_nodes_have_not_come_yet_are_kept()
    {
        _script.CreateTopic("wide", replicationFactor: 5);
        var partition = _script.State.Cluster.Topics["wide"].Partitions[0];
        var described = _script.State.Cluster.Replicas(partition).Select(replica => replica.Value).ToArray();

        AlterAll(new AlterPartitionReassignmentsRequest.ReassignableTopic
        {
            Name = "wide", Partitions = [new() { PartitionIndex = 0, Replicas = [.. described.Reverse()] }],
        });

        Assert.Equal(
            [.. described.Reverse(), 3, 4], _script.State.Cluster.Topics["wide"].Partitions[0].Replicas.Select(replica => replica.Value));
    }

    [Fact]
    public void An_election_moves_partitions_to_the_first_replica_that_lives()
    {
        Reassign(0, 2, 0);

        Assert.Equal([(0, ErrorCode.None), (1, ErrorCode.ElectionNotNeeded), (9, ErrorCode.UnknownTopicOrPartition)], Elect(0, 1, 9));

        Assert.Equal((0, 2), LedAndPlanned(0));
        Assert.Equal((1, null), LedAndPlanned(1));
        Assert.Equal([(0, ErrorCode.None)], Elect(0));
    }

    [Fact]
    public void An_election_of_all_tells_of_those_that_move()
    {
        Reassign(0, 2, 0);

        Assert.Equal([(0, ErrorCode.None)], Elect());
    }

    [Fact]
    public void What_nobody_leads_or_no_replica_of_which_lives_cannot_be_elected()
    {
        Reassign(1, 0);
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[0]));

        Assert.Equal(
            [(0, ErrorCode.PreferredLeaderNotAvailable), (1, ErrorCode.PreferredLeaderNotAvailable)], Elect(0, 1));
    }

    /// <param name="partition">The partition.</param>
    /// <param name="replicas">None to cancel.</param>
    private ErrorCode Reassign(int partition, params int[] replicas) =>
        Assert.Single(Alter(new()
        {
            Name = "t", Partitions = [new() { PartitionIndex = partition, Replicas = replicas.Length == 0 ? null : replicas }],
        }, mayChangeFactor: true));

    private List<ErrorCode> AlterAll(params AlterPartitionReassignmentsRequest.ReassignableTopic[] topics) =>
        [.. topics.SelectMany(topic => Alter(topic, mayChangeFactor: topic.Name != "t"))];

    private List<ErrorCode> Alter(AlterPartitionReassignmentsRequest.ReassignableTopic topic, bool mayChangeFactor)
    {
        var request = new AlterPartitionReassignmentsRequest { AllowReplicationFactorChange = mayChangeFactor, Topics = [topic] };
        var response = _script.Do(entry => Reassignment.Alter(entry, request));
        Assert.Equal((short)ErrorCode.None, response.ErrorCode);
        return [.. response.Responses.SelectMany(answered => answered.Partitions).Select(partition => (ErrorCode)partition.ErrorCode)];
    }

    private List<(int Partition, ErrorCode Error)> Elect(params int[] partitions)
    {
        var request = new ElectLeadersRequest
        {
            TopicPartitions = partitions.Length == 0 ? null : [new() { Topic = "t", Partitions = partitions }],
        };
        var response = _script.Do(entry => LeaderElection.Elect(entry, request));
        return
        [
            .. Assert.Single(response.ReplicaElectionResults).PartitionResult.Select(partition => (partition.PartitionId, (ErrorCode)partition.ErrorCode)),
        ];
    }

    private int[] Replicas(int index) => [.. Partition(index).Replicas.Select(replica => replica.Value)];

    private (int? Leader, int? PlannedTo) LedAndPlanned(int index) => (Partition(index).Leader?.Value, Partition(index).PlannedTo?.Value);

    private PartitionImage Partition(int index) => _script.State.Cluster.Topics["t"].Partitions[index];
}
