using System.Net;
using Millrace.Cluster;
using Millrace.Cluster.Membership;
using Millrace.Controller.Clients;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Simulation.Disks;
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
            var first = new Member(kernel, bucket, network, "first");
            await first.Joined;
            var second = new Member(kernel, bucket, network, "second");
            await second.Joined;
            await kernel.Delay(TimeSpan.FromSeconds(5));
            Assert.Equal(2, first.Image.LiveNodes.Count());

            second.Node.Pause();
            var began = kernel.Now;
            while (first.Image.LiveNodes.Count() == 2)
            {
                await kernel.Delay(TimeSpan.FromMilliseconds(10));
            }

            took = kernel.Now - began;
        });
        Assert.InRange(took, Options.FenceTime - Options.HeartbeatInterval - TimeSpan.FromMilliseconds(100), Options.FenceTime + TimeSpan.FromSeconds(1));
    }

    private sealed class Member
    {
        private readonly TaskCompletionSource<ClusterMember> _joined = new();

        public Member(SimulationKernel kernel, SimulatedBucket bucket, SimulatedNetwork network, string name)
        {
            Node = new SimulatedNode(kernel, name, lane => new SimulatedDisk(kernel, name).Mount(lane));
            _ = Node.Start(runtime => LiveAsync(runtime, kernel, bucket, network));
        }

        public SimulatedNode Node { get; }

        public Task Joined => _joined.Task;

        public MetadataImage Image => _joined.Task.Result.Metadata.Image;

        private async Task LiveAsync(NodeRuntime runtime, SimulationKernel kernel, SimulatedBucket bucket, SimulatedNetwork network)
        {
            var lane = Node.Lane!;
            var listener = await network.At(Node.Name, lane).BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
            var address = new PeerAddress(Node.Name, ((IPEndPoint)listener.EndPoint).Port);
            var member = await ClusterMember.JoinAsync(
                runtime, bucket.Connect(lane), kernel.NewBufferPool(), listener, network.From(Node.Name, lane), address, Options, CancellationToken.None);
            member.Registered = await new NodeRegistry(runtime, member.Channel).RegisterAsync(
                new NodeRegistration(runtime.NewId(), [new NodeEndpoint(ListenerName.Plaintext, Node.Name, 9092)], null)
                {
                    Internal = address,
                    Name = Node.Name,
                },
                CancellationToken.None);
            _joined.SetResult(member);
            await member.Failed;
        }
    }
}
