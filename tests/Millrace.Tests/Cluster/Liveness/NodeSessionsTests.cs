using Millrace.Cluster;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;
using Xunit;

namespace Millrace.Tests.Cluster.Liveness;

/// <summary>How soon a controller gives nodes up, in a simulated world without weather.</summary>
public sealed class NodeSessionsTests
{
    private static readonly ClusterOptions Options = new();

    [Fact]
    public void A_node_that_hangs_is_given_up_when_its_session_is_over_and_not_later()
    {
        using var kernel = new SimulationKernel(seed: 1);
        var took = TimeSpan.Zero;
        kernel.Run(async () =>
        {
            var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
            var first = new SimulatedMember(kernel, bucket, network, "first", Options);
            await first.Joined;
            var second = new SimulatedMember(kernel, bucket, network, "second", Options);
            await second.Joined;
            await kernel.Delay(TimeSpan.FromSeconds(5));
            Assert.Equal(2, first.Member.Metadata.Image.LiveNodes.Count());

            second.Node.Pause();
            var began = kernel.Now;
            while (first.Member.Metadata.Image.LiveNodes.Count() == 2)
            {
                await kernel.Delay(TimeSpan.FromMilliseconds(10));
            }

            took = kernel.Now - began;
        });
        Assert.InRange(took, Options.FenceTime - Options.HeartbeatInterval - TimeSpan.FromMilliseconds(100), Options.FenceTime + TimeSpan.FromSeconds(1));
    }
}
