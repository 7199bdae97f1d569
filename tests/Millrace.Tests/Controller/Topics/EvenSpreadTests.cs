using CsCheck;
using Millrace.Controller.Topics;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Controller.Topics;

public sealed class EvenSpreadTests
{
    [Fact]
    public void No_node_gets_more_than_one_above_any_other_whatever_the_replicas_are() =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[0, 9].Array[0, 4].Array[0, 60]).Sample((nodes, partitions) =>
        {
            var spread = new EvenSpread(Nodes(nodes));
            var dealt = partitions.Select(replicas => spread.Next([.. replicas.Select(id => new NodeId(id))])!.Value).ToList();

            var counts = Nodes(nodes).Select(node => dealt.Count(other => other == node)).ToList();
            Assert.InRange(counts.Max() - counts.Min(), 0, 1);
        });

    [Fact]
    public void Among_those_with_the_fewest_the_first_replica_is_preferred()
    {
        var spread = new EvenSpread(Nodes(3));

        Assert.Equal(
            [2, 1, 0, 1, 0],
            new int[][] { [9, 2, 1], [2, 1], [], [1], [1] }.Select(replicas => spread.Next([.. replicas.Select(id => new NodeId(id))])!.Value.Value));
    }

    [Fact]
    public void Where_nobody_lives_it_is_nobodys() => Assert.Null(new EvenSpread([]).Next([new NodeId(1)]));

    private static NodeId[] Nodes(int count) => [.. Enumerable.Range(0, count).Select(id => new NodeId(id))];
}
