using Millrace.Simulation.Kernel;
using Xunit;

namespace Millrace.Tests.Simulation;

public sealed class SimulatedLinkTests
{
    [Fact]
    public void Transfers_share_what_the_link_has()
    {
        var arrived = new List<(string Name, double At)>();
        using var kernel = new SimulationKernel(1);
        kernel.Run(async () =>
        {
            var link = new SimulatedLink(kernel, () => 1_000);
            link.Send(1_000, () => arrived.Add(("long", kernel.Now.TotalSeconds)));
            link.Send(500, () => arrived.Add(("short", kernel.Now.TotalSeconds)));
            await kernel.Delay(TimeSpan.FromSeconds(3));
        });

        Assert.Equal(["short", "long"], arrived.Select(one => one.Name));
        Assert.Equal([1, 1.5], arrived.Select(one => Math.Round(one.At, 3)));
    }

    [Fact]
    public void What_is_on_its_way_arrives_when_nothing_slows_it_down_any_more_though_more_is_sent_all_the_time()
    {
        var (rate, arrived) = (1.0, new List<double>());
        using var kernel = new SimulationKernel(1);
        kernel.Run(async () =>
        {
            var link = new SimulatedLink(kernel, () => rate);
            link.Send(1_000, () => arrived.Add(kernel.Now.TotalSeconds));
            link.Send(1_000, () => arrived.Add(kernel.Now.TotalSeconds));
            await kernel.Delay(TimeSpan.FromSeconds(1));
            rate = double.PositiveInfinity;

            // At the very moment at which all would arrive.
            kernel.At(kernel.Now + TimeSpan.FromTicks(1), kernel.World, () => link.Send(10, () => { }));
            for (var i = 0; i < 20; i++)
            {
                link.Send(10, () => { });
                await kernel.Delay(TimeSpan.FromMilliseconds(300));
            }
        });

        Assert.Equal(2, arrived.Count);
        Assert.All(arrived, at => Assert.InRange(at, 1, 2.1));
    }
}
