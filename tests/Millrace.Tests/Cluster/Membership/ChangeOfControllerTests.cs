using Millrace.Cluster;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;
using Xunit;

namespace Millrace.Tests.Cluster.Membership;

/// <summary>What members read in the bucket when their controller is lost, in a simulated world without weather.</summary>
public sealed class ChangeOfControllerTests
{
    private const string Snapshots = "meta/snapshots/";

    [Fact]
    public void The_next_in_line_takes_over_without_loading_anything_and_the_others_follow_it_from_where_they_are()
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
            Assert.NotNull(members[0].Member.Local);
            List<(string Node, string Key)> asked = [];
            bucket.Asked = (lane, key) => asked.Add((lane.Split('.')[0], key));
            members[0].Node.Kill();
            network.ProcessGone(members[0].Node.Lane!);
            await kernel.Delay(TimeSpan.FromSeconds(5));

            Assert.NotNull(members[1].Member.Local);
            Assert.Equal(members[1].Member.Metadata.Image.Version, members[2].Member.Metadata.Image.Version);
            Assert.DoesNotContain(asked, call => call.Node == "second" && call.Key.StartsWith(Snapshots, StringComparison.Ordinal));
            // The third is the next in line now, and loads once for that.
            Assert.Single(asked, call => call.Node == "third" && call.Key.StartsWith(Snapshots, StringComparison.Ordinal));
            Assert.InRange(asked.Count, 1, 60);
        });
    }
}
