using Millrace.Cluster;
using Millrace.Cluster.Liveness;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Cluster.Liveness;

public sealed class FenceJudgeTests
{
    private readonly FenceJudge _judge = new(new ClusterOptions());

    [Fact]
    public void A_silent_node_is_given_up_when_its_session_is_over()
    {
        Assert.Empty(Judge(10, 2.9, 0.1));
        Assert.Equal([1], Judge(11, 3.0, 0.1));
    }

    [Fact]
    public void Two_that_fall_silent_together_get_one_more_session()
    {
        Assert.Empty(Judge(10, 3.2, 3.0, 0.1));
        Assert.Empty(Judge(12.7, 5.9, 5.7, 0.1));
        Assert.Equal([1], Judge(12.9, 6.1, 5.9, 0.1));
    }

    [Fact]
    public void Two_that_fall_silent_one_after_the_other_do_not() => Assert.Equal([1, 2], Judge(10, 4.0, 3.1, 0.1, 0.1));

    [Fact]
    public void Never_more_than_half_of_the_nodes_are_given_up_in_a_session()
    {
        // Four of five, far apart: two now, and the next when this session is over.
        Assert.Equal([1, 2], Judge(10, 9.0, 8.0, 7.0, 6.0));
        _judge.Fenced(Seconds(10));
        _judge.Fenced(Seconds(10));
        Assert.Empty(Judge(12.9, 11.9, 10.9));
        Assert.Equal([1], Judge(13, 12.0, 11.0));
    }

    [Fact]
    public void The_only_other_node_can_be_given_up() => Assert.Equal([1], Judge(10, 3.0));

    [Fact]
    public void A_node_that_was_given_up_wrongly_gets_twice_the_time_for_ten_minutes()
    {
        _judge.FencedWrongly(Seconds(10), new NodeId(1));

        Assert.Empty(Judge(20, 5.9, 0.1));
        Assert.Equal([1], Judge(20, 6.0, 0.1));
        Assert.Equal([1], Judge(10 + 600, 3.0, 0.1));
    }

    private int[] Judge(double now, params double[] silences) =>
        [.. _judge.Judge(Seconds(now), [.. silences.Select((silence, i) => (new NodeId(i + 1), Seconds(silence)))]).Select(fenced => fenced.Node.Value)];

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
