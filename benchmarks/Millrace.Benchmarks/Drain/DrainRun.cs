using System.Diagnostics;
using Confluent.Kafka;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Drain;

/// <summary>A cluster under load, of which one broker leads everything, and is drained.</summary>
internal sealed class DrainRun(ClusterUnderTest cluster, DrainOptions options)
{
    private const string OffsetsTopic = "__consumer_offsets";
    private const string MembersTopic = "members";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan Undisturbed = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly int _each = options.Partitions / options.Topics;
    private readonly string[] _topics = [.. Enumerable.Range(0, options.Topics).Select(index => $"drain-{index}")];

    public async Task MeasureAsync()
    {
        var drained = (cluster.Controller() + 1) % cluster.Count;
        Array.ForEach(_topics, topic => cluster.CreateTopic(topic, _each, drained));
        cluster.CreateTopic(MembersTopic, partitions: 1, drained);
        var members = new List<CommittingMember>();
        var applications = new List<Application>();
        var standing = new StandingOffsets(cluster, _topics, _each, options.Groups, options.Offsets / options.Groups);
        try
        {
            // The first group makes the offsets' topic.
            members.AddRange(
                Enumerable.Range(0, options.Members).Select(index => new CommittingMember(cluster, $"member-{index}", MembersTopic)));
            Say("waiting for groups");
            await WaitForMembersAsync(members);
            await cluster.MoveAsync(OffsetsTopic, drained, Limit);
            Say($"committing {options.Offsets} offsets of {options.Groups} groups");
            await standing.CommitAsync();
            applications.AddRange(_topics.Select(topic => new Application(cluster.BootstrapServers, topic, _each, options.Writing)));
            Say("waiting for producers and readers");
            applications.ForEach(application => application.ProbeAll().Wait(Limit));
            applications.ForEach(application => application.CatchUp(Limit));
            await Task.Delay(Settling);
            await MeasureAsync(drained, applications, members, standing);
        }
        finally
        {
            applications.ForEach(application => application.Dispose());
            foreach (var member in members)
            {
                await member.DisposeAsync();
            }
        }
    }

    private async Task MeasureAsync(int drained, List<Application> applications, List<CommittingMember> members, StandingOffsets standing)
    {
        Gaps.Take(applications, members);
        await Task.Delay(Undisturbed);
        var undisturbed = Gaps.Take(applications, members);
        Say($"draining {ClusterUnderTest.NameOf(drained)}, which leads {Led(drained)} partitions");
        var began = Stopwatch.GetTimestamp();
        cluster.Command($"broker drain {ClusterUnderTest.NameOf(drained)} --wait --timeout {options.Limit.TotalSeconds:F0}");
        var took = Stopwatch.GetElapsedTime(began);

        // Whoever still waits is to be counted for as long as it does.
        await Task.Delay(Settling);
        var during = Gaps.Take(applications, members);
        Say("reading everything back");
        foreach (var member in members)
        {
            await member.StopAsync();
        }

        await standing.CheckAsync();
        foreach (var member in members)
        {
            await CheckAsync(member, standing);
        }

        var records = applications.Sum(application => application.Check(Limit));
        var rebalances = applications.Sum(application => application.Rebalances) + members.Sum(member => member.Joins - 1);
        await ClusterCheck.WaitAsync(cluster, Limit);
        if (Led(drained) is > 0 and var left)
        {
            throw new InvalidOperationException($"The drained broker leads {left} partitions");
        }

        Console.WriteLine(FormattableString.Invariant(
            $"\n{options.Partitions} partitions and {options.Shards} shards with {options.Offsets} offsets went in {took.TotalSeconds:F2} s. Gaps, ms:\n"));
        Console.WriteLine(Sample.Head);
        Console.WriteLine(new Sample(during.Producers).Row("between acknowledgements of a producer"));
        Console.WriteLine(new Sample(undisturbed.Producers).Row("the same, undisturbed"));
        Console.WriteLine(new Sample(during.Partitions).Row("between acknowledgements of a partition"));
        Console.WriteLine(new Sample(undisturbed.Partitions).Row("the same, undisturbed"));
        Console.WriteLine(new Sample(during.Members).Row("between a member's commits"));
        Console.WriteLine(new Sample(undisturbed.Members).Row("the same, undisturbed"));
        Console.WriteLine(
            $"\n{records} records: each acknowledged one is in the log once, in order, and nothing else is; each offset is there. No producer, no reader "
            + $"and no member saw an error. {rebalances} rebalances.");
        if (rebalances > 0)
        {
            throw new InvalidOperationException("Groups were disturbed: neither a move of their coordinators nor a drain may rebalance them");
        }
    }

    private static async Task CheckAsync(CommittingMember member, StandingOffsets standing)
    {
        var partition = new TopicPartition(MembersTopic, 0);
        var found = (await standing.OffsetsOfAsync(member.Group, [partition]))[partition];
        if (found < member.Committed)
        {
            throw new InvalidOperationException($"{member.Group} has committed {member.Committed}, and {found} is what it has now");
        }
    }

    private int Led(int index) => _topics.Append(OffsetsTopic).Append(MembersTopic).Sum(topic => cluster.Leaders(topic)[index]);

    private static async Task WaitForMembersAsync(List<CommittingMember> members)
    {
        if (!SpinWait.SpinUntil(() => members.TrueForAll(member => member.Committed > 0), Limit))
        {
            foreach (var member in members)
            {
                await member.StopAsync();
            }

            throw new TimeoutException($"{members.Count(member => member.Committed == 0)} groups have committed nothing for {Limit.TotalSeconds:F0} s");
        }
    }

    private void Say(string what) => Console.WriteLine(FormattableString.Invariant($"{_clock.Elapsed.TotalSeconds:F0} s: {what}"));
}
