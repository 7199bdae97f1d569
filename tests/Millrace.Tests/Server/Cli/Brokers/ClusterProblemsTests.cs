using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Xunit;

namespace Millrace.Tests.Server.Cli.Brokers;

/// <summary>What is amiss in a cluster, as its health and its restart plan tell it.</summary>
public sealed class ClusterProblemsTests
{
    private static readonly BrokerView[] Brokers =
    [
        new(0, BrokerView.Live, "a", 1, null), new(1, BrokerView.Live, "b", 1, null), new(2, BrokerView.Stopped, null, null, null),
    ];

    [Fact]
    public void Brokers_that_live_or_have_left_in_good_order_are_none() =>
        Assert.Empty(ClusterProblems.Of(new ClusterView("c", 1, Brokers), partitions: 9, unavailable: 0));

    [Fact]
    public void What_is_without_a_leader_comes_first()
    {
        var cluster = new ClusterView("c", null, [.. Brokers, new(3, BrokerView.Fenced, null, null, null), new(4, BrokerView.Fenced, null, null, null)]);

        var problems = ClusterProblems.Of(cluster, partitions: 9, unavailable: 2);

        Assert.Equal([ExitCode.NoLeader, ExitCode.Failed, ExitCode.Failed], problems.Select(one => one.ExitCode));
        Assert.Contains("2 of 9 partitions", problems[0].Problem, StringComparison.Ordinal);
        Assert.Contains("no controller", problems[1].Problem, StringComparison.Ordinal);
        Assert.Contains("Gone without having left: 3, 4.", problems[2].Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_topic_whose_WAL_some_brokers_do_not_have_is_one()
    {
        var problem = Assert.Single(
            ClusterProblems.Of(new ClusterView("c", 1, Brokers) { UnmetWals = [new("logs", "object", [0, 1])] }, partitions: 9, unavailable: 0));

        Assert.Equal(ExitCode.Failed, problem.ExitCode);
        Assert.Contains("Topic logs asks for a WAL of the kind object (millrace.wal), which there is not at: 0, 1.", problem.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_WAL_that_waits_is_one_also_where_everything_has_a_leader()
    {
        var wal = new WaitingWalView(Guid.Empty, "file:///w", 1, new Dictionary<(string Topic, int Partition), WaitingPartitionView>());

        var problem = Assert.Single(ClusterProblems.Of(new ClusterView("c", 1, Brokers) { WaitingWals = [wal] }, partitions: 9, unavailable: 0));

        Assert.Equal(ExitCode.Failed, problem.ExitCode);
        Assert.Contains("(file:///w) of broker 1 waits", problem.Problem, StringComparison.Ordinal);
    }
}
