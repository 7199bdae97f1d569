using Millrace.Broker.Membership;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Broker.Membership;

public sealed class DepartedNodesTests : IDisposable
{
    private readonly MetadataFeed _feed = new();
    private readonly ManualTime _time = new();
    private readonly DepartedNodes _departed;
    private MetadataImage _image = MetadataImage.Empty;

    public DepartedNodesTests()
    {
        _departed = new DepartedNodes(_time, _feed);
        _departed.Start();
        Register(1);
        Register(2);
    }

    public void Dispose() => _departed.Dispose();

    [Theory]
    [InlineData(NodeState.Fenced)]
    [InlineData(NodeState.Stopped)]
    public void A_node_that_is_gone_is_told_of_for_a_while_longer(NodeState state)
    {
        Change(2, state);

        Assert.Equal([1, 2], Told());
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal([1], Told());
    }

    [Fact]
    public void One_that_comes_again_is_told_of_as_long_as_it_lives()
    {
        Change(2, NodeState.Fenced);
        Register(2);
        _time.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal([1, 2], Told());
    }

    [Fact]
    public void Those_that_were_gone_when_the_broker_began_are_not_told_of()
    {
        Change(2, NodeState.Fenced);
        using var later = new DepartedNodes(_time, _feed);
        later.Start();

        Assert.Equal([1], later.Told(_image).Select(node => node.Id.Value));
    }

    private IEnumerable<int> Told() => _departed.Told(_image).Select(node => node.Id.Value);

    private void Register(int node) => Publish(new NodeImage(
        new NodeId(node), new NodeEpoch(node), Guid.Empty, [new NodeEndpoint(ListenerName.Plaintext, "host", node)], Rack: null, NodeState.Live));

    private void Change(int node, NodeState state) => Publish(_image.Nodes[new NodeId(node)] with { State = state });

    private void Publish(NodeImage node)
    {
        _image = _image with { Nodes = _image.Nodes.SetItem(node.Id, node), Version = new MetadataVersion(1, _image.Version.Index + 1) };
        _feed.Publish(_image);
    }
}
