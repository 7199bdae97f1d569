using System.Globalization;
using Millrace.Controller.Balancing;
using Millrace.Simulation.Balancing;
using Xunit;

namespace Millrace.Tests.Controller.Balancing;

/// <summary>
/// Fifty brokers with 20,000 partitions that have loads alone: the day's rise and fall, hot topics, a broker lost and another that comes.
/// <c>MILLRACE_TEST_DAYS</c> says for how many days, otherwise for an hour and a half.
/// </summary>
public sealed class LoadWorldTests(ITestOutputHelper output)
{
    private const int Nodes = 50;
    private const int Topics = 200;
    private const int PartitionsOfTopic = 100;
    private const double Megabyte = 1_000_000;
    private static readonly TimeSpan BetweenEvents = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan Settles = TimeSpan.FromMinutes(5);

    [Fact]
    public void A_large_cluster_is_even_again_soon_after_whatever_happens_and_moves_little_in_between()
    {
        var length = double.TryParse(Environment.GetEnvironmentVariable("MILLRACE_TEST_DAYS"), CultureInfo.InvariantCulture, out var days)
            ? TimeSpan.FromDays(days) : TimeSpan.FromMinutes(90);
        var world = new LoadWorld(seed: 4711, Nodes, Topics, PartitionsOfTopic, meanBytes: 100 * Megabyte, capacity: 400 * Megabyte) { Noise = 0.3 };
        var planner = new BalancePlanner(BalanceRules.Default);
        var random = new Random(4711);
        var (moves, calm, even, highest) = (0, 0, 0, 0.0);
        var (lastEvent, hot, settled) = (TimeSpan.Zero, -1, new List<TimeSpan>());
        for (var now = TimeSpan.Zero; now < length; now += LoadWorld.Window)
        {
            if (now - lastEvent >= BetweenEvents)
            {
                (lastEvent, hot) = (now, Happen(world, random, hot));
            }

            world.Daytime = 1 + (0.6 * Math.Sin(2 * Math.PI * now.TotalDays));
            var plan = planner.Plan(world.Image, world.Measure(), BalanceExclusions.None, now + TimeSpan.FromHours(1));
            world.Do(plan.Moves);
            planner.Begun(plan.Moves, now + TimeSpan.FromHours(1));
            moves += plan.Moves.Count;
            if (world.Highest() <= 1.25 && settled.Count < Events(lastEvent))
            {
                settled.Add(now - lastEvent);
            }

            if (now - lastEvent >= Settles)
            {
                calm++;
                even += world.Highest() <= 1.15 ? 1 : 0;
                highest = Math.Max(highest, world.Highest());
            }
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{length}: {moves} moves; from five minutes after each of {settled.Count} events on: highest {highest:0.000}, "
            + $"within 1.15 for {even / (double)calm:P0}; "
            + $"below 1.25 after {settled.Average(time => time.TotalSeconds):0} s, at most {settled.Max(time => time.TotalSeconds):0} s"));
        // One partition may have more than the mean: then its broker has to lose hundreds of small ones, and that takes minutes.
        Assert.InRange(highest, 1, 1.3);
        Assert.InRange(even / (double)calm, 0.9, 1);
        Assert.InRange(settled.Max(), TimeSpan.Zero, Settles);
        Assert.InRange(moves / length.TotalDays, 0, world.Partitions);
    }

    private static int Events(TimeSpan last) => 1 + (int)(last / BetweenEvents);

    /// <summary>In turn a topic is hot and another no more, a broker is lost, and one comes.</summary>
    /// <returns>The topic that is hot.</returns>
    private static int Happen(LoadWorld world, Random random, int hot)
    {
        if (world.Nodes.Count < Nodes)
        {
            world.Join();
            return hot;
        }

        if (random.NextDouble() < 0.3)
        {
            world.Lose(world.Nodes.ElementAt(random.Next(Nodes)));
            return hot;
        }

        if (hot >= 0)
        {
            world.HeatTopic(hot, 0.1);
        }

        hot = random.Next(Topics);
        world.HeatTopic(hot, 10);
        return hot;
    }
}
