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
    public void A_node_that_hangs_is_given_up_when_its_session_is_over_and_not_later() =>
        Assert.InRange(
            TimeUntilGivenUp((_, _, second) => second.Node.Pause()),
            Options.FenceTime - Options.HeartbeatInterval - TimeSpan.FromMilliseconds(100),
            Options.FenceTime + TimeSpan.FromSeconds(1));

    [Fact]
    public void A_node_whose_process_is_gone_is_given_up_at_once() =>
        Assert.InRange(
            TimeUntilGivenUp((_, network, second) =>
            {
                var lane = second.Node.Lane!;
                second.Node.Kill();
                network.ProcessGone(lane);
            }),
            TimeSpan.Zero,
            Options.ProbeTime / 2);

    [Fact]
    public void A_node_whose_connections_are_cut_is_not() =>
        Assert.Null(TimeUntilGivenUpIfEver((_, network, _) => network.Reset("first", "second")));

    [Fact]
    public void A_node_whose_writes_alone_do_not_reach_the_store_is_given_up_when_its_lease_has_ended() =>
        Assert.InRange(
            TimeUntilGivenUp((kernel, _, second) =>
            {
                var since = kernel.Now;
                second.Joined.Result.WatchWrites(() => kernel.Now - since);
            }),
            Options.StallTime + Options.LeaseTime,
            Options.StallTime + Options.FenceTime + TimeSpan.FromSeconds(1));

    [Fact]
    public void When_the_writes_of_all_stall_nobody_is_given_up() =>
        Assert.Null(TimeUntilGivenUpIfEver((kernel, _, second) =>
        {
            var since = kernel.Now;
            second.Joined.Result.WatchWrites(() => kernel.Now - since);
            second.First!.Joined.Result.WatchWrites(() => kernel.Now - since);
        }));

    private static TimeSpan TimeUntilGivenUp(Action<SimulationKernel, SimulatedNetwork, Member> trouble) => TimeUntilGivenUpIfEver(trouble)!.Value;

    private static TimeSpan? TimeUntilGivenUpIfEver(Action<SimulationKernel, SimulatedNetwork, Member> trouble)
    {
        using var kernel = new SimulationKernel(seed: 1);
        TimeSpan? took = null;
        kernel.Run(async () =>
        {
            var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
            var first = new Member(kernel, bucket, network, "first");
            await first.Joined;
            var second = new Member(kernel, bucket, network, "second") { First = first };
            await second.Joined;
            await kernel.Delay(TimeSpan.FromSeconds(5));
            Assert.Equal(2, first.Image.LiveNodes.Count());

            trouble(kernel, network, second);
            var began = kernel.Now;
            while (first.Image.LiveNodes.Count() == 2 && kernel.Now < began + TimeSpan.FromSeconds(20))
            {
                await kernel.Delay(TimeSpan.FromMilliseconds(10));
            }

            took = first.Image.LiveNodes.Count() == 2 ? null : kernel.Now - began;
        });
        return took;
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

        public Member? First { get; init; }

        public Task<ClusterMember> Joined => _joined.Task;

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
