using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Controller.Nodes;

public sealed class NodeRemovalTests
{
    private readonly ClusterScript _script = new();

    [Fact]
    public void A_node_that_has_left_is_forgotten_and_its_id_is_not_given_out_again()
    {
        var left = _script.Register();
        _script.Do(entry => NodeOperations.Stop(entry, left));

        Assert.Equal(ErrorCode.None, Remove(left.Node));
        Assert.Empty(_script.State.Cluster.Nodes);
        Assert.NotEqual(left.Node, _script.Register().Node);
    }

    [Fact]
    public void A_node_that_is_fenced_and_held_nothing_is_forgotten_and_is_no_replica_any_more()
    {
        var gone = _script.Register(withWal: false);
        var topic = _script.CreateTopic("t");
        _script.Do(entry => NodeOperations.Fence(entry, gone));

        Assert.Equal([gone.Node], _script.State.Cluster.Replicas(topic.Partitions[0]));
        Assert.Equal(ErrorCode.None, Remove(gone.Node));
        Assert.Empty(_script.State.Cluster.Replicas(_script.State.Cluster.Topics["t"].Partitions[0]));
    }

    [Fact]
    public void The_controllers_node_is_the_controllers_no_more_when_it_is_forgotten()
    {
        var gone = _script.Register(withWal: false);
        _script.Do(entry => entry.Add(new ControllerRecord { NodeId = gone.Node.Value }));
        _script.Do(entry => NodeOperations.Fence(entry, gone));

        Remove(gone.Node);
        Assert.Null(_script.State.Cluster.Controller);
    }

    [Fact]
    public void A_live_node_and_one_that_is_not_there_are_refused()
    {
        var live = _script.Register();

        Assert.Equal(ErrorCode.InvalidRequest, Remove(live.Node));
        Assert.Equal(ErrorCode.BrokerIdNotRegistered, Remove(new NodeId(77)));
        Assert.True(_script.State.Cluster.IsLive(live.Node));
    }

    [Fact]
    public void A_node_is_kept_until_its_WAL_is_recovered()
    {
        var gone = _script.Register();
        _script.OpenStream(gone);
        var survivor = _script.Do(entry => NodeOperations.Register(
            entry, new NodeRegistration(_script.Random.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "h", 1)], null) { Name = "survivor" }));
        _script.Do(entry => NodeOperations.Fence(entry, gone));
        var wal = Assert.Single(WaitingWals.Waiting(_script.State)).Wal.Id;

        Assert.Equal(ErrorCode.InvalidRequest, Remove(gone.Node));
        _script.Do(entry => ClusterScript.Recover(entry, survivor, wal));
        Assert.Equal(ErrorCode.None, Remove(gone.Node));

        // What its WAL took is given back by whoever is there.
        _script.Do(entry => WalOperations.ForgetWals(entry, survivor, [wal]));
        Assert.Empty(_script.State.Cluster.Wals);
    }

    private ErrorCode Remove(NodeId node) =>
        (ErrorCode)_script.Do(entry => NodeRemoval.Remove(entry, new UnregisterBrokerRequest { BrokerId = node.Value })).ErrorCode;
}
