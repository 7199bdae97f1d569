using System.Collections.Frozen;
using Millrace.Controller.Balancing;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Balancing;
using Xunit;

namespace Millrace.Tests.Controller.Balancing;

/// <summary>What the balancer plans for clusters that consist of loads alone.</summary>
public sealed class BalancePlannerTests
{
    private const double Megabyte = 1_000_000;

    [Fact]
    public void From_wherever_it_begins_it_comes_to_rest_with_nothing_left_to_gain() =>
        Each(
            setting =>
            {
                var trial = new Trial(Make(setting));
                var world = trial.World;
                Skew(world, setting.Seed);

                var last = 0;
                for (var window = 1; window <= 400; window++)
                {
                    last = trial.Run().Count > 0 ? window : last;
                }

                Assert.True(last < 300, $"It still moves after {last} windows");
                var largest = Enumerable.Range(0, world.Partitions).Max(world.WeightOf);
                var mean = world.Loads().Values.Average();
                Assert.True(
                    world.Loads().Values.Max() <= Math.Max(1.25 * mean, mean + (5 * Megabyte)) || world.Loads().Values.Max() <= largest + (0.25 * mean),
                    $"{world.Highest()} times the mean");
            },
            worlds: 60);

    [Fact]
    public void Noise_alone_moves_little_where_brokers_lead_many() =>
        Each(
            setting =>
            {
                var trial = new Trial(Make(setting with { Nodes = 2 + (setting.Nodes % 3), Topics = 8, Partitions = 60 }));
                var world = trial.World;
                Skew(world, setting.Seed);
                for (var window = 0; window < 100; window++)
                {
                    trial.Run();
                }

                world.Noise = 0.3;
                var moves = Enumerable.Range(0, 360).SelectMany(_ => trial.Run()).ToList();

                // What lies just below where it begins may be lifted above it.
                Assert.InRange(moves.Count, 0, world.Partitions / 6);
            },
            worlds: 20);

    [Fact]
    public void It_keeps_to_its_pace_its_rests_and_what_is_excluded_whatever_happens() =>
        Each(
            setting =>
            {
                var trial = new Trial(Make(setting));
                var world = trial.World;
                var random = new Random(setting.Seed);
                var excluded = new BalanceExclusions(FrozenSet.Create("topic-0"), FrozenSet.Create(new NodeId(0)));
                var moved = new Dictionary<int, TimeSpan>();
                var lately = new Queue<TimeSpan>();
                for (var window = 0; window < 200; window++)
                {
                    world.Heat(random.Next(world.Partitions), random.NextDouble() < 0.5 ? 30 : 1 / 30.0);
                    foreach (var move in trial.Run(excluded))
                    {
                        Assert.False(moved.TryGetValue(world.NumberOf(move), out var before) && trial.Now - before < TimeSpan.FromMinutes(5));
                        Assert.DoesNotContain("topic-0", world.Image.NameOf(move.Topic)!, StringComparison.Ordinal);
                        Assert.NotEqual(new NodeId(0), move.From);
                        Assert.NotEqual(new NodeId(0), move.To);
                        Assert.NotEqual(move.From, move.To);
                        moved[world.NumberOf(move)] = trial.Now;
                        if (move.Goal != BalanceGoal.Fill)
                        {
                            lately.Enqueue(trial.Now);
                        }
                    }

                    while (lately.TryPeek(out var oldest) && trial.Now - oldest >= TimeSpan.FromMinutes(1))
                    {
                        lately.Dequeue();
                    }

                    Assert.InRange(lately.Count, 0, 50);
                }
            },
            worlds: 30);

    [Fact]
    public void A_node_that_comes_is_at_its_share_of_partitions_and_of_the_load_with_one_plan() =>
        Each(
            setting =>
            {
                var trial = new Trial(Make(setting));
                var world = trial.World;
                trial.Run();
                var node = world.Join();

                var moves = trial.Run();

                var fair = world.Partitions / world.Nodes.Count;
                Assert.All(moves, move => Assert.Equal((BalanceGoal.Fill, node), (move.Goal, move.To)));
                Assert.Equal(fair, moves.Count);
                Assert.InRange(world.Loads()[node], 0, (1.1 * world.Loads().Values.Average()) + 1);
            },
            worlds: 60);

    [Fact]
    public void It_moves_nothing_while_a_failover_is_under_way_or_a_node_is_not_heard()
    {
        var (world, planner) = (Make((Seed: 1, Nodes: 3, Topics: 3, Partitions: 10)), new BalancePlanner(BalanceRules.Default));
        var now = TimeSpan.FromHours(1);
        var empty = world.Join();
        var loads = world.Measure();
        var image = world.Image;
        var topic = image.Topics["topic-0"];

        loads.Remove(new NodeId(2));
        Assert.Equal("Broker 2 has not told of its load lately.", planner.Plan(image, loads, BalanceExclusions.None, now).Waits);

        var orphan = topic with { Partitions = topic.Partitions.SetItem(0, topic.Partitions[0] with { Leader = null, PlannedTo = new NodeId(1) }) };
        var plan = planner.Plan(
            image with { Topics = image.Topics.SetItem("topic-0", orphan) }, world.Measure(), BalanceExclusions.None, now);
        Assert.Equal("A failover is under way.", plan.Waits);
        Assert.Empty(plan.Moves);

        // A broker that has come has nothing that it could tell of.
        loads = world.Measure();
        loads.Remove(empty);
        Assert.NotEmpty(planner.Plan(image, loads, BalanceExclusions.None, now).Moves);
    }

    [Fact]
    public void A_node_that_comes_between_two_windows_is_filled_at_once_and_nothing_else_is_judged_then()
    {
        var (world, planner) = (Make((Seed: 1, Nodes: 3, Topics: 3, Partitions: 10)), new BalancePlanner(BalanceRules.Default));
        var now = TimeSpan.FromHours(1);
        Assert.Equal("It has not looked yet.", planner.Welcome(world.Image, world.Measure(), BalanceExclusions.None, now).Waits);
        for (var window = 0; window < 5; window++)
        {
            now += LoadWorld.Window;
            planner.Plan(world.Image, world.Measure(), BalanceExclusions.None, now);
        }

        // Long enough for what is judged by windows.
        world.HeatTopic(1, 100);
        Assert.Empty(planner.Welcome(world.Image, world.Measure(), BalanceExclusions.None, now).Moves);
        var empty = world.Join();
        var plan = planner.Welcome(world.Image, world.Measure(), BalanceExclusions.None, now);

        Assert.Equal(30 / 4, plan.Moves.Count);
        Assert.All(plan.Moves, move => Assert.Equal((BalanceGoal.Fill, empty), (move.Goal, move.To)));
    }

    [Fact]
    public void A_plan_that_does_not_end_keeps_the_others_as_they_are_for_two_minutes_and_one_for_a_broker_that_is_away_not_at_all()
    {
        var (world, planner) = (Make((Seed: 1, Nodes: 3, Topics: 3, Partitions: 10)), new BalancePlanner(BalanceRules.Default));
        var now = TimeSpan.FromHours(1);
        world.Join();

        Assert.NotNull(planner.Plan(Planned(world, new NodeId(1)), world.Measure(), BalanceExclusions.None, now).Waits);
        Assert.NotNull(planner.Plan(Planned(world, new NodeId(1)), world.Measure(), BalanceExclusions.None, now + TimeSpan.FromSeconds(119)).Waits);
        var plan = planner.Plan(Planned(world, new NodeId(1)), world.Measure(), BalanceExclusions.None, now + TimeSpan.FromSeconds(120));
        Assert.NotEmpty(plan.Moves);
        Assert.DoesNotContain(plan.Moves, move => world.NumberOf(move) == 0);
        Assert.Null(new BalancePlanner(BalanceRules.Default).Plan(Planned(world, new NodeId(77)), world.Measure(), BalanceExclusions.None, now).Waits);
    }

    [Fact]
    public void A_broker_that_is_to_get_its_own_back_is_not_filled_with_what_is_others()
    {
        var world = new LoadWorld(seed: 1, nodes: 3, topics: 3, partitionsOfTopic: 30, meanBytes: Megabyte, capacity: 100 * Megabyte) { KeepsPreferred = true };
        for (var partition = 2; partition < 90; partition += 3)
        {
            world.Lead(partition, new NodeId(0));
        }

        Assert.Empty(new Trial(world).Run());
    }

    [Fact]
    public void Processors_that_have_too_much_to_do_are_relieved_though_no_load_is_high()
    {
        var world = new LoadWorld(seed: 1, nodes: 3, topics: 3, partitionsOfTopic: 30, meanBytes: 3 * Megabyte, capacity: 5 * Megabyte);
        foreach (var partition in Enumerable.Range(0, world.Partitions).Where(partition => world.LeaderOf(partition) == new NodeId(1)).Take(20).ToArray())
        {
            world.Lead(partition, new NodeId(0));
        }

        var trial = new Trial(world);
        var moves = Enumerable.Range(0, 12).SelectMany(_ => trial.Run()).ToList();

        Assert.Equal((BalanceGoal.Overload, new NodeId(0)), (moves[0].Goal, moves[0].From));
        Assert.DoesNotContain(moves, move => move.Goal == BalanceGoal.Load);
        Assert.InRange(world.Loads()[new NodeId(0)] / (5 * Megabyte), 0, 0.75);
    }

    [Fact]
    public void Numbers_are_evened_where_nothing_has_any_load()
    {
        var world = new LoadWorld(seed: 1, nodes: 3, topics: 3, partitionsOfTopic: 30, meanBytes: 0, capacity: Megabyte);
        for (var partition = 0; partition < 60; partition++)
        {
            world.Lead(partition, new NodeId(partition % 2));
        }

        var trial = new Trial(world);
        var moves = Enumerable.Range(0, 30).SelectMany(_ => trial.Run()).ToList();

        Assert.All(moves, move => Assert.Equal(BalanceGoal.Count, move.Goal));
        Assert.All(world.Counts().Values, count => Assert.InRange(count, 24, 36));
    }

    /// <summary>The first partition is on its way.</summary>
    private static MetadataImage Planned(LoadWorld world, NodeId to)
    {
        var topic = world.Image.Topics["topic-0"];
        var moving = topic with { Partitions = topic.Partitions.SetItem(0, topic.Partitions[0] with { PlannedTo = to }) };
        return world.Image with { Topics = world.Image.Topics.SetItem("topic-0", moving) };
    }

    /// <summary>The same worlds each time: what balancing cannot mend in one of many is no news of a later change.</summary>
    private static void Each(Action<(int Seed, int Nodes, int Topics, int Partitions)> check, int worlds)
    {
        var random = new Random(worlds);
        for (var i = 0; i < worlds; i++)
        {
            check((random.Next(1_000_000), random.Next(2, 10), random.Next(4, 9), random.Next(20, 61)));
        }
    }

    private static LoadWorld Make((int Seed, int Nodes, int Topics, int Partitions) setting) =>
        new(setting.Seed, setting.Nodes, setting.Topics, setting.Partitions, meanBytes: 50 * Megabyte, capacity: 500 * Megabyte);

    /// <summary>Some topics are far busier, and some nodes lead far more.</summary>
    private static void Skew(LoadWorld world, int seed)
    {
        var random = new Random(seed);
        world.HeatTopic(1, 10);
        for (var i = 0; i < world.Partitions / 3; i++)
        {
            world.Lead(random.Next(world.Partitions), world.Nodes.First());
        }
    }

    /// <summary>A world and its balancer, window after window.</summary>
    private sealed class Trial(LoadWorld world)
    {
        private readonly BalancePlanner _planner = new(BalanceRules.Default);

        public LoadWorld World { get; } = world;

        public TimeSpan Now { get; private set; } = TimeSpan.FromHours(1);

        public IReadOnlyList<BalanceMove> Run(BalanceExclusions? excluded = null)
        {
            Now += LoadWorld.Window;
            var plan = _planner.Plan(World.Image, World.Measure(), excluded ?? BalanceExclusions.None, Now);
            World.Do(plan.Moves);
            _planner.Begun(plan.Moves, Now);
            return plan.Moves;
        }
    }
}
