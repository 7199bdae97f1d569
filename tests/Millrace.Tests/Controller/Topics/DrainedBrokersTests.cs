using Millrace.Controller.Endpoint;
using Millrace.Controller.Nodes;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Topics;

/// <summary>Brokers that get nothing new, and those that are to lead nothing. Three nodes; node 0 leads partition 0, which it has open.</summary>
public sealed class DrainedBrokersTests
{
    private readonly ClusterScript _script = new();
    private readonly NodeIncarnation[] _nodes;

    public DrainedBrokersTests()
    {
        _nodes = [.. Enumerable.Range(0, 3).Select(number => _script.Register(name: $"n{number}", kind: WalKind.Object))];
        var topic = _script.CreateTopic("t", partitions: 3);
        foreach (var partition in topic.Partitions)
        {
            _script.Open(_nodes[partition.Leader!.Value.Value], partition.Stream, 0);
        }
    }

    [Fact]
    public void What_a_drained_node_leads_is_planned_to_the_others_and_it_gets_nothing_new()
    {
        Assert.Equal(ErrorCode.None, Set(0, BrokerConfigs.Drained, "true"));

        Assert.Equal(0, Partition(0).Leader?.Value);
        Assert.Contains(Partition(0).PlannedTo?.Value, new int?[] { 1, 2 });
        Assert.DoesNotContain(_script.CreateTopic("u", partitions: 12).Partitions, partition => partition.Replicas.Contains(_nodes[0].Node));
    }

    [Fact]
    public void A_node_that_is_drained_no_more_keeps_what_it_has_not_handed_over_yet_and_gets_nothing_that_is_anothers()
    {
        Set(0, BrokerConfigs.Drained, "true");
        _script.CreateTopic("u", partitions: 3);
        Assert.True(Partition(0).Moves);

        Assert.Equal(ErrorCode.None, Set(0, BrokerConfigs.Drained, null));

        Assert.Equal((0, false), (Partition(0).Leader?.Value, Partition(0).Moves));
        Assert.DoesNotContain(_script.State.Cluster.Topics["u"].Partitions, partition => partition.Leader == _nodes[0].Node);
    }

    [Fact]
    public void A_node_that_comes_back_is_to_lead_what_it_is_the_preferred_leader_of_unless_it_is_drained()
    {
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[1]));
        RecoverAll();
        Assert.NotEqual(1, Partition(1).Leader?.Value);
        var again = _script.Register(name: "n1", kind: WalKind.Object);
        Set(1, BrokerConfigs.Drained, "true");

        _script.Do(entry => LeaderReturn.Plan(entry, again.Node));
        Assert.False(Partition(1).Moves);

        Set(1, BrokerConfigs.Drained, null);
        // Nobody has opened it since: it is its own at once.
        Assert.Equal(1, Partition(1).Leader?.Value);
        Assert.Equal([0, 2], [Partition(0).Leader!.Value.Value, Partition(2).Leader!.Value.Value]);
    }

    [Fact]
    public void The_last_node_that_may_lead_cannot_be_drained_and_where_all_others_are_gone_a_drained_one_leads()
    {
        Set(0, BrokerConfigs.Drained, "true");
        Set(1, BrokerConfigs.Drained, "true");

        Assert.Equal(ErrorCode.InvalidRequest, Set(2, BrokerConfigs.Drained, "true"));
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(_script.State.Cluster, _nodes[2].Node));

        _script.Do(entry => NodeOperations.Fence(entry, _nodes[2]));
        RecoverAll();
        Assert.Contains(Partition(2).Leader?.Value, new int?[] { 0, 1 });

        // And it is rid of it when there is somebody else.
        _script.Register(name: "n3", kind: WalKind.Object);
        _script.Do(Evacuation.PlanDrained);
        Assert.Equal(3, Partition(2).Leader?.Value);
    }

    [Fact]
    public void One_that_is_away_cannot_be_drained_where_all_others_are()
    {
        Set(0, BrokerConfigs.Drained, "true");
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[1]));
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[2]));

        Assert.Equal(ErrorCode.None, Set(1, BrokerConfigs.Drained, "true"));
        Assert.Equal(ErrorCode.InvalidRequest, Set(2, BrokerConfigs.Drained, "true"));
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(_script.State.Cluster, _nodes[2].Node));
    }

    [Fact]
    public void One_that_is_about_to_stop_is_not_drained_for_good_where_all_others_are()
    {
        Set(0, BrokerConfigs.Drained, "true");
        Set(1, BrokerConfigs.Drained, "true");
        _script.Do(entry => NodeRequests.Evacuate(entry, new EvacuateRequest { NodeId = 2, NodeEpoch = _nodes[2].Epoch.Value }));

        Assert.Equal(ErrorCode.InvalidRequest, Set(2, BrokerConfigs.Drained, "true"));

        _script.Register(name: "n2", kind: WalKind.Object);
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(_script.State.Cluster, _nodes[2].Node));
    }

    [Fact]
    public void What_is_on_its_way_to_a_node_that_is_drained_goes_elsewhere()
    {
        Assert.Equal(ErrorCode.None, Reassign(1, 0));
        Assert.Equal((1, 0), (Partition(1).Leader?.Value, Partition(1).PlannedTo?.Value));

        Set(0, BrokerConfigs.Drained, "true");

        Assert.NotEqual(0, Partition(1).PlannedTo?.Value);
    }

    [Fact]
    public void A_drained_node_is_rid_of_what_it_led_for_want_of_others_when_one_of_them_is_drained_no_more()
    {
        Set(0, BrokerConfigs.Drained, "true");
        Set(1, BrokerConfigs.Drained, "true");
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[2]));
        RecoverAll();
        var second = Partition(2).Leader!.Value.Value;
        Assert.InRange(second, 0, 1);

        Set(1 - second, BrokerConfigs.Drained, null);

        Assert.Equal(1 - second, Partition(2).Leader?.Value);
    }

    [Fact]
    public void Nothing_comes_to_a_node_that_is_about_to_stop_and_what_it_leads_and_is_to_lead_goes()
    {
        Reassign(1, 0);
        _script.Do(entry => NodeRequests.Evacuate(entry, new EvacuateRequest { NodeId = 0, NodeEpoch = _nodes[0].Epoch.Value }));

        Assert.True(Partition(0).Moves);
        Assert.NotEqual(0, Partition(1).PlannedTo?.Value);
        var (planned, next) = (Partition(0).PlannedTo, Partition(1));
        _script.Do(entry => NodeRequests.ReturnLeaders(entry, new ReturnLeadersRequest { NodeId = 0, NodeEpoch = _nodes[0].Epoch.Value }));
        Assert.Equal(planned, Partition(0).PlannedTo);
        Assert.Equal(next, Partition(1));
        Assert.DoesNotContain(_script.CreateTopic("u", partitions: 12).Partitions, partition => partition.Leader == _nodes[0].Node);

        // Its next incarnation begins anew.
        _script.Register(name: "n0", kind: WalKind.Object);
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(_script.State.Cluster, _nodes[0].Node));
    }

    [Fact]
    public void What_a_drained_node_hands_over_to_one_that_is_lost_goes_to_another()
    {
        Set(0, BrokerConfigs.Drained, "true");
        var to = Partition(0).PlannedTo!.Value.Value;

        _script.Do(entry => NodeOperations.Fence(entry, _nodes[to]));

        Assert.Equal((0, 3 - to), (Partition(0).Leader?.Value, Partition(0).PlannedTo?.Value));
    }

    [Fact]
    public void A_cordoned_node_goes_on_and_gets_nothing_new_by_hand_either()
    {
        Assert.Equal(ErrorCode.None, Set(0, BrokerConfigs.CordonedLogDirs, "*"));

        Assert.False(Partition(0).Moves);
        Assert.DoesNotContain(_script.CreateTopic("u", partitions: 12).Partitions, partition => partition.Replicas.Contains(_nodes[0].Node));
        Assert.Equal(ErrorCode.InvalidReplicaAssignment, Reassign(1, 0));
        Assert.Equal(ErrorCode.None, Reassign(0, 0));
        Assert.Equal(ErrorCode.None, Set(0, BrokerConfigs.CordonedLogDirs, null));
        Assert.Equal(ErrorCode.None, Reassign(1, 0));
    }

    [Fact]
    public void Nothing_is_created_where_all_are_cordoned()
    {
        for (var node = 0; node < 3; node++)
        {
            Set(node, BrokerConfigs.CordonedLogDirs, "*");
        }

        var request = new CreateTopicsRequest { Topics = [new() { Name = "u", NumPartitions = 1, ReplicationFactor = 1 }] };
        var response = _script.Do(entry => new TopicCreation(ClusterScript.Configs, _script.Random).Create(entry, request));

        Assert.Equal((short)ErrorCode.InvalidReplicationFactor, response.Topics[0].ErrorCode);
        Assert.Contains("cordoned", response.Topics[0].ErrorMessage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", BrokerConfigs.Drained, "true")]
    [InlineData("", BrokerConfigs.CordonedLogDirs, "*")]
    [InlineData("0", BrokerConfigs.CordonedLogDirs, "/data")]
    [InlineData("0", BrokerConfigs.Drained, "perhaps")]
    public void A_value_that_is_none_or_is_not_one_brokers_is_refused(string broker, string name, string value) =>
        Assert.Equal(ErrorCode.InvalidRequest, Set(broker, name, value));

    [Fact]
    public void A_rehearsal_of_a_drain_moves_nothing()
    {
        Assert.Equal(ErrorCode.None, Set("0", BrokerConfigs.Drained, "true", validateOnly: true));

        Assert.False(Partition(0).Moves);
    }

    /// <summary>Whoever has a share of a WAL brings it.</summary>
    private void RecoverAll()
    {
        foreach (var node in _nodes.Where(_script.State.IsLive))
        {
            foreach (var share in WaitingWals.SharesOf(_script.State, node).ToArray())
            {
                _script.Do(entry => WaitingWals.Complete(entry, node, share));
            }
        }
    }

    private ErrorCode Set(int broker, string name, string? value) => Set($"{broker}", name, value);

    private ErrorCode Set(string broker, string name, string? value, bool validateOnly = false)
    {
        var request = new IncrementalAlterConfigsRequest
        {
            ValidateOnly = validateOnly,
            Resources =
            [
                new()
                {
                    ResourceType = (sbyte)ConfigResourceType.Broker,
                    ResourceName = broker,
                    Configs = [new() { Name = name, ConfigOperation = (sbyte)(value is null ? ConfigOperation.Delete : ConfigOperation.Set), Value = value }],
                },
            ],
        };
        return (ErrorCode)Assert.Single(_script.Do(entry => new ConfigChanges(ClusterScript.Configs).Alter(entry, request)).Responses).ErrorCode;
    }

    private ErrorCode Reassign(int partition, int replica)
    {
        var request = new AlterPartitionReassignmentsRequest
        {
            Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = partition, Replicas = [replica] }] }],
        };
        return (ErrorCode)_script.Do(entry => Reassignment.Alter(entry, request)).Responses[0].Partitions[0].ErrorCode;
    }

    private PartitionImage Partition(int index) => _script.State.Cluster.Topics["t"].Partitions[index];
}
