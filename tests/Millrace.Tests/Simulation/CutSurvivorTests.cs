using Millrace.Metadata.Image;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Scenarios.Clusters;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Simulation;

/// <summary>Whole brokers on virtual time, without weather: one dies while another cannot reach the store.</summary>
public sealed class CutSurvivorTests
{
    private const int Partitions = 12;

    [Fact]
    public void A_survivor_that_is_cut_off_from_the_store_and_writes_nothing_has_its_share_planned_to_others()
    {
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var world = new ClusterWorld(kernel, ClusterPlot.Everything, fault: null);
            ClusterMachine[] machines = [.. Enumerable.Range(0, 3).Select(number => new ClusterMachine(world, number, wal: WalKind.Object))];
            Array.ForEach(machines, machine => machine.Start(TimeSpan.Zero));
            var clients = new ClusterClients(kernel, new BrokerDirectory(kernel.Random, machines), world.Plot, racks: [],
                hasSeveralWals: false, hasDevices: false, () => NetworkWeather.Calm);
            await UntilAsync(kernel, TimeSpan.FromSeconds(20), () => machines.All(machine => machine.Serves && machine.Image!.LiveNodes.Count() == 3));
            await clients.CreateTopicAsync(Partitions);
            await kernel.Delay(TimeSpan.FromSeconds(10));
            var controller = machines.Single(machine => machine.Leads);
            var (dies, cut) = machines.Except([controller]).ToList() is [var one, var other] ? (one, other) : default;

            cut!.CutFromStore(TimeSpan.FromMinutes(5));
            var before = LedBy(controller.Image!, controller);
            dies!.Kill();

            await UntilAsync(kernel, TimeSpan.FromSeconds(20), () => IsLed(controller.Image!) && LedBy(controller.Image!, cut) == 0);
            Assert.True(LedBy(controller.Image!, controller) > before);
        });
    }

    private static bool IsLed(MetadataImage image) => image.Topics.Values.All(topic => topic.Partitions.All(partition => partition.Leader is not null));

    private static int LedBy(MetadataImage image, ClusterMachine machine)
    {
        var node = image.Nodes.Values.Single(node => node.Name == machine.Node.Name).Id;
        return image.Topics.Values.Sum(topic => topic.Partitions.Count(partition => partition.Leader == node));
    }

    private static async Task UntilAsync(SimulationKernel kernel, TimeSpan limit, Func<bool> holds)
    {
        var until = kernel.Now + limit;
        while (!holds())
        {
            Assert.True(kernel.Now < until, "It has not come to that in time");
            await kernel.Delay(TimeSpan.FromMilliseconds(100));
        }
    }
}
