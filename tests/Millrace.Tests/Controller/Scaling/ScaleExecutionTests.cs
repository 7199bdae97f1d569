using Millrace.Controller.Nodes;
using Millrace.Controller.Scaling;
using Millrace.Controller.Topics;
using Millrace.Metadata.Configs;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;
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

    [Fact]
    public void Who_is_to_go_is_drained_and_the_next_controller_knows_of_it()
    {
        Assert.Null(Drain(1));

        Assert.Equal(new ScaleStanding(2, new NodeId(1)), ScalerConfigs.StandingOf(_script.State.Cluster));
        Assert.True(BrokerDuties.IsDrained(_script.State.Cluster, new NodeId(1)));
        Assert.Equal(1, ScaleExecution.LeftOn(_script.State.Cluster, new NodeId(1)));
        var partition = _script.State.Cluster.Topics["t"].Partitions.Single(partition => partition.Leader == new NodeId(1));
        Assert.NotNull(partition.PlannedTo);
    }

    [Fact]
    public void Who_stays_after_all_keeps_what_it_has_and_who_has_gone_may_come_again_by_its_name()
    {
        Drain(1);
        _script.Do(entry => ScaleExecution.LetGo(entry, new NodeId(1)));
        Assert.Equal(new ScaleStanding(2, null), ScalerConfigs.StandingOf(_script.State.Cluster));
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(_script.State.Cluster, new NodeId(1)));
        Assert.DoesNotContain(_script.State.Cluster.Topics["t"].Partitions, partition => partition.Moves);

        Drain(2);
        _script.Do(entry => NodeOperations.Fence(entry, _nodes[2]));
        _script.Do(entry => ScaleExecution.LetGo(entry, new NodeId(2)));
        _script.Register(name: "n2", kind: WalKind.Object);
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(_script.State.Cluster, new NodeId(2)));
    }

    [Fact]
    public void Where_nobody_else_may_lead_nothing_is_changed()
    {
        Drain(1);
        Drain(2);
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
        Assert.Equal(ScaleStanding.None, ScalerConfigs.StandingOf(_script.State.Cluster));
    }

    [Fact]
    public void What_stands_is_forgotten_when_nobody_looks_any_more()
    {
        _script.Do(entry => ScaleExecution.Want(entry, 5));
        Assert.Equal(5, ScalerConfigs.StandingOf(_script.State.Cluster).Desired);

        _script.Do(ScaleExecution.Forget);
        Assert.Equal(ScaleStanding.None, ScalerConfigs.StandingOf(_script.State.Cluster));
    }

    private Refusal? Drain(int node) => _script.Do(
        entry => ScaleExecution.Drain(entry, new ScaleDecision(ScaleChange.In, 3, 3, 2, new NodeId(node), null, "")));
}
