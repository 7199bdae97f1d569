using System.Collections.Immutable;
using Millrace.Controller.Loads;
using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Loads;

public sealed class LoadTableTests
{
    private static readonly NodeIncarnation One = new(new NodeId(1), new NodeEpoch(5));
    private static readonly NodeIncarnation Two = new(new NodeId(2), new NodeEpoch(6));

    private readonly ManualTime _time = new();
    private readonly MetadataFeed _feed = new();
    private readonly LoadTable _table;

    public LoadTableTests()
    {
        _table = new LoadTable(_time, _feed);
        Publish((One, NodeState.Live), (Two, NodeState.Live));
    }

    [Fact]
    public void The_newest_of_each_node_is_known()
    {
        Hear(One, 1);
        Hear(Two, 2);
        Hear(One, 3);

        Assert.Equal([(1, 3L), (2, 2L)], Fresh());
    }

    [Fact]
    public void A_node_that_has_told_nothing_for_three_windows_is_left_out_until_it_does()
    {
        Hear(One, 1);
        _time.Advance(NodeLoad.Window);
        Hear(Two, 2);
        _time.Advance(2 * NodeLoad.Window);
        Assert.Equal([(1, 1L), (2, 2L)], Fresh());

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([(2, 2L)], Fresh());
        Hear(One, 3);
        Assert.Equal([(1, 3L), (2, 2L)], Fresh());
    }

    [Theory]
    [InlineData(NodeState.Fenced, 5)]
    [InlineData(NodeState.Stopped, 5)]
    [InlineData(NodeState.Live, 7)]
    public void What_an_incarnation_told_that_is_over_counts_for_nobody(NodeState state, long epoch)
    {
        Hear(One, 1);
        Hear(Two, 2);

        Publish((new NodeIncarnation(One.Node, new NodeEpoch(epoch)), state), (Two, NodeState.Live));
        Assert.Equal([(2, 2L)], Fresh());

        Publish((One, NodeState.Live), (Two, NodeState.Live));
        Assert.Equal([(2, 2L)], Fresh());
    }

    private void Hear(NodeIncarnation node, long bytesIn) => _table.Hear(node, new NodeLoad { BytesIn = bytesIn });

    private IEnumerable<(int Node, long BytesIn)> Fresh() => _table.Fresh().Select(told => (told.Key.Value, told.Value.BytesIn)).Order();

    private void Publish(params (NodeIncarnation Node, NodeState State)[] nodes) => _feed.Publish(MetadataImage.Empty with
    {
        Version = _feed.Image.Version with { Index = _feed.Image.Version.Index + 1 },
        Nodes = nodes.ToImmutableSortedDictionary(
            one => one.Node.Node,
            one => new NodeImage(one.Node.Node, one.Node.Epoch, new Guid(one.Node.Node.Value, 0, 0, new byte[8]), [], null, one.State)),
    });
}
