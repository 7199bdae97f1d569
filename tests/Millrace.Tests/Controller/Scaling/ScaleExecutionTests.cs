using Millrace.Controller.Nodes;
using Millrace.Controller.Scaling;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Scaling;

public sealed class ScaleExecutionTests
{
    private readonly ClusterScript _script = new();
    private readonly NodeIncarnation[] _nodes;

    public ScaleExecutionTests()
    {
        _nodes = [.. Enumerable.Range(0, 3).Select(number => _script.Register(name: $"n{number}", kind: WalKind.Object))];
        foreach (var partition in _script.CreateTopic("t", partitions: 3).Partitions)
        {
            _script.Open(_nodes[partition.Leader!.Value.Value], partition.Stream, 0);
        }
    }

    private ScaleStanding Standing => ScalerConfigs.StandingOf(_script.State.Cluster);

    private ScaleOrder? Order => StandingOrder.Of(_script.State.Cluster);

    [Fact]
    public void Who_is_to_go_is_drained_and_the_next_controller_knows_of_it()
    {
        Assert.Null(Drain(1));

        Assert.Equal(new ScaleStanding(2, new NodeId(1)), Standing);
        Assert.True(BrokerDuties.IsDrained(_script.State.Cluster, new NodeId(1)));
        Assert.Equal(1, ScaleExecution.LeftOn(_script.State.Cluster, new NodeId(1)));
        var partition = _script.State.Cluster.Topics["t"].Partitions.Single(partition => partition.Leader == new NodeId(1));
        Assert.NotNull(partition.PlannedTo);
    }

    [Fact]
    public void Who_stays_after_all_keeps_what_it_has_and_who_has_gone_may_come_again_by_its_name()
    {
        Drain(1);
        Assert.Null(Begin(ScaleChange.Keep, current: 3, desired: 3));
        Assert.Equal(new ScaleStanding(3, null), Standing);
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(_script.State.Cluster, new NodeId(1)));
        Assert.DoesNotContain(_script.State.Cluster.Topics["t"].Partitions, partition => partition.Moves);

        Drain(2);
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[2]));
        Settle();
        Assert.Equal(new ScaleStanding(2, null), Standing);
        _script.Register(name: "n2", kind: WalKind.Object);
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(_script.State.Cluster, new NodeId(2)));
    }

    [Fact]
    public void Where_nobody_else_may_lead_nothing_is_changed()
    {
        foreach (var drained in (int[])[1, 2])
        {
            Drain(drained);
            _script.Do(entry => ScaleExecution.Stand(entry, Standing with { Victim = null }));
        }

        var before = ClusterScript.Bytes(_script.State);

        Assert.NotNull(Drain(0));
        Assert.NotNull(Drain(1));

        Assert.Equal(before, ClusterScript.Bytes(_script.State));
    }

    [Fact]
    public void Who_has_gone_meanwhile_is_not_drained()
    {
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[1]));

        Assert.NotNull(Drain(1));
        Assert.Equal(ScaleStanding.None, Standing);
    }

    [Fact]
    public void What_is_only_advised_drains_nobody_and_names_nobody()
    {
        Assert.Null(_script.Do(entry => ScaleExecution.Begin(entry, Decision(ScaleChange.In, 3, 2, new NodeId(1)), drains: false)));

        Assert.Equal(new ScaleStanding(2, null), Standing);
        Assert.False(BrokerDuties.IsDrained(_script.State.Cluster, new NodeId(1)));
    }

    [Fact]
    public void The_command_is_to_stop_the_one_that_is_to_go_when_that_is_empty_and_not_before()
    {
        Drain(1);
        Assert.Null(Order);
        HandOver(1);

        Assert.Equal(new ScaleOrder(3, 2, new NodeId(1), "n1"), Order);
    }

    [Fact]
    public void It_is_to_stop_nobody_any_more_where_another_broker_is_lost()
    {
        Drain(1);
        HandOver(1);
        var order = Order!;
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[0]));

        Assert.Null(Order);
        Assert.False(Tell(order));
        Assert.False(Standing.IsTold);
    }

    [Fact]
    public void It_is_to_stop_nobody_any_more_where_something_is_planned_to_the_one_that_was_to_go()
    {
        Drain(1);
        HandOver(1);
        var order = Order!;
        var topic = _script.State.Cluster.Topics["t"];
        var other = topic.Partitions.First(partition => partition.Leader != new NodeId(1)).Index;
        _script.Do(entry => entry.Add(new PartitionPlansRecord { TopicId = topic.Id, Ranges = [new() { First = other, Count = 1, PlannedTo = 1 }] }));

        Assert.Null(Order);
        Assert.False(Tell(order));
    }

    [Fact]
    public void It_is_never_to_stop_the_controller()
    {
        Drain(1);
        HandOver(1);
        _script.Do(entry => entry.Add(new ControllerRecord { NodeId = 1 }));

        Assert.Null(Order);
    }

    [Fact]
    public void It_is_told_of_those_who_are_called_for_until_they_are_all_there_whoever_is_the_controller()
    {
        Begin(ScaleChange.Out, current: 3, desired: 5);
        Assert.Equal(new ScaleStanding(5, null) { Former = 3 }, Standing);
        Assert.Equal(new ScaleOrder(3, 5, null, null), Order);
        Assert.True(Tell(Order!));

        _script.Register(name: "n3", kind: WalKind.Object);
        Settle();
        Assert.Equal(new ScaleOrder(4, 5, null, null), Order);
        _script.Register(name: "n4", kind: WalKind.Object);
        Settle();
        Assert.Equal((null, new ScaleStanding(5, null)), (Order, Standing));

        // Who is lost is nobody that was called for: it may come again.
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[0]));
        Settle();
        Assert.Null(Order);
    }

    [Fact]
    public void What_it_was_told_is_taken_back_where_that_is_not_to_be_any_more_and_only_then()
    {
        Begin(ScaleChange.Out, current: 3, desired: 5);
        Begin(ScaleChange.Recall, current: 3, desired: 3);
        Assert.Null(Order);

        Begin(ScaleChange.Out, current: 3, desired: 5);
        Tell(Order!);
        Begin(ScaleChange.Recall, current: 3, desired: 3);
        Assert.Equal(new ScaleOrder(3, 3, null, null), Order);
        _script.Do(entry => ScaleExecution.Stand(entry, Standing with { IsTold = false }));

        Drain(1);
        HandOver(1);
        Tell(Order!);
        Begin(ScaleChange.Keep, current: 3, desired: 3);
        Assert.Equal(new ScaleOrder(3, 3, null, null), Order);
    }

    [Fact]
    public void It_is_never_told_of_fewer_brokers_without_the_one_that_is_to_go()
    {
        _script.Do(entry => ScaleExecution.Stand(entry, new ScaleStanding(2, null) { Former = 1, IsTold = true }));
        Assert.Null(Order);
        _script.Do(entry => ScaleExecution.Stand(entry, ScaleStanding.None with { IsTold = true }));
        Assert.Null(Order);
    }

    [Fact]
    public void That_it_is_told_is_an_entry_each_time()
    {
        Begin(ScaleChange.Out, current: 3, desired: 5);
        Assert.True(Tell(Order!));

        Assert.True(_script.Do(entry => ScaleExecution.Tell(entry, Order!) && entry.Records.Count == 1));
    }

    private bool Tell(ScaleOrder order) => _script.Do(entry => ScaleExecution.Tell(entry, order));

    /// <summary>Others lead what it was to hand over.</summary>
    private void HandOver(int node)
    {
        var topic = _script.State.Cluster.Topics["t"];
        foreach (var partition in topic.Partitions.Where(partition => partition.Leader == new NodeId(node)))
        {
            _script.Do(entry => entry.Add(new PartitionLeadersRecord
            {
                TopicId = topic.Id, Ranges = [new() { First = partition.Index, Count = 1, Leader = partition.PlannedTo!.Value.Value }],
            }));
        }
    }

    private void Settle() => _script.Do(entry => ScaleExecution.Settle(entry, drains: true));

    private Refusal? Drain(int node) => _script.Do(
        entry => ScaleExecution.Begin(entry, Decision(ScaleChange.In, 3, 2, new NodeId(node)), drains: true));

    private Refusal? Begin(ScaleChange change, int current, int desired) =>
        _script.Do(entry => ScaleExecution.Begin(entry, Decision(change, current, desired, null), drains: true));

    private static ScaleDecision Decision(ScaleChange change, int current, int desired, NodeId? victim) =>
        new(change, current, current, desired, victim, null, "");
}
