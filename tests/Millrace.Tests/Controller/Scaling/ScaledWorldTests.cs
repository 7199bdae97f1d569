using System.Globalization;
using Millrace.Controller.Scaling;
using Millrace.Simulation.Balancing;
using Xunit;

namespace Millrace.Tests.Controller.Scaling;

/// <summary>Days of loads in clusters that scale themselves.</summary>
public sealed class ScaledWorldTests(ITestOutputHelper output)
{
    private const double Megabyte = 1_000_000;

    // With so many bytes a second a broker's processors are used whole: half of it is what it is to have.
    private const double Capacity = 200 * Megabyte;
    private const int Days = 2;

    [Theory]
    [InlineData(1, 0.8, 0.0)]
    [InlineData(2, 0.8, 0.3)]
    [InlineData(3, 0.5, 0.3)]
    [InlineData(5, 0.9, 0.1)]
    public void Brokers_follow_a_load_that_rises_and_falls_with_the_day_and_do_not_come_and_go_for_nothing(int seed, double swing, double noise)
    {
        var settings = new ScaleSettings { Min = 2, Max = 12 };
        var world = new LoadWorld(seed, nodes: 5, topics: 5, partitionsOfTopic: 16, meanBytes: 100 * Megabyte, Capacity) { Noise = noise };
        var scaled = new ScaledWorld(world, settings);
        var (fewest, most, busiest, spare) = (int.MaxValue, 0, 0.0, 0.0);
        var looks = Days * (int)(TimeSpan.FromDays(1) / LoadWorld.Window);
        for (var look = 0; look < looks; look++)
        {
            world.Daytime = 1 + (swing * Math.Sin(2 * Math.PI * look * LoadWorld.Window.TotalDays));
            scaled.Run();
            var load = world.Loads().Values.Sum() / Capacity;
            (fewest, most) = (Math.Min(fewest, world.Nodes.Count), Math.Max(most, world.Nodes.Count));
            busiest = Math.Max(busiest, load / world.Nodes.Count);
            spare += world.Nodes.Count - (load / settings.TargetCpu);
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{fewest} to {most} brokers, {scaled.Changes} changes in {Days} days, {busiest:P0} of the processors at most, "
            + $"{spare / looks:0.0} to spare on average"));
        Assert.InRange(fewest, settings.Min, (int)Math.Ceiling(5 * (1 - swing)) + 2);
        Assert.InRange(most, (int)Math.Floor(5 * (1 + swing)), settings.Max);

        // The load asks for what it asks for, and one at a time goes: more changes than that would be to and fro.
        Assert.InRange(scaled.Changes, 1, Days * 2 * (most - fewest + 1));
        Assert.InRange(busiest, 0, 0.6);
        Assert.InRange(spare / looks, 0, 2.5);
    }

    [Fact]
    public void A_load_that_is_three_times_as_high_at_once_is_carried_again_within_a_quarter_of_an_hour()
    {
        var world = new LoadWorld(seed: 7, nodes: 3, topics: 4, partitionsOfTopic: 16, meanBytes: 80 * Megabyte, Capacity) { Noise = 0.2 };
        var scaled = new ScaledWorld(world, new ScaleSettings { Max = 20 });
        for (var look = 0; look < 60; look++)
        {
            scaled.Run();
        }

        Assert.Equal(3, world.Nodes.Count);
        world.Daytime = 3.2;
        for (var look = 0; look < 90; look++)
        {
            scaled.Run();
        }

        // It asks for 7.7.
        Assert.InRange(world.Nodes.Count, 8, 9);
    }

    [Fact]
    public void However_much_there_is_to_do_there_are_never_more_than_the_ceiling_nor_fewer_than_the_floor_however_little()
    {
        var world = new LoadWorld(seed: 8, nodes: 3, topics: 4, partitionsOfTopic: 16, meanBytes: 300 * Megabyte, Capacity) { Noise = 0.2 };
        var scaled = new ScaledWorld(world, new ScaleSettings { Min = 2, Max = 4 });
        var counts = new HashSet<int>();
        for (var look = 0; look < 2 * 8_640; look++)
        {
            world.Daytime = look < 8_640 ? 1 : 0.001;
            scaled.Run();
            counts.Add(world.Nodes.Count);
        }

        Assert.Equal([2, 3, 4], counts.Order());
        Assert.Equal(2, world.Nodes.Count);
        Assert.Equal(3, scaled.Changes);
    }
}
