using Millrace.Cluster;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;
using Xunit;

namespace Millrace.Tests.Cluster.Membership;

/// <summary>A member that does not hear its controller, and for a while nobody else either.</summary>
public sealed class DeafMemberTests
{
    [Fact]
    public void Who_is_answered_only_when_its_turn_comes_leaves_a_controller_in_its_place_that_others_hear()
    {
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
            var members = new List<SimulatedMember>();
            foreach (var name in new[] { "first", "second", "third" })
            {
                members.Add(new SimulatedMember(kernel, bucket, network, name, new ClusterOptions()));
                await members[^1].Joined;
            }

            await kernel.Delay(TimeSpan.FromSeconds(5));
            var term = members[0].Member.Local!.Owner.Term;
            network.Swallow("first", "second", TimeSpan.FromSeconds(30));
            // By then it has asked, and waits.
            network.Swallow("third", "second", TimeSpan.FromSeconds(7));
            await kernel.Delay(TimeSpan.FromSeconds(20));

            Assert.Equal(term, members[0].Member.Local?.Owner.Term);
            Assert.Null(members[1].Member.Local);
        });
    }
}
