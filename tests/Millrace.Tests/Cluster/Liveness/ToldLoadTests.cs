using Millrace.Cluster;
using Millrace.Cluster.Liveness;
using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Cluster.Liveness;

/// <summary>How a controller hears what its nodes have to do, in a simulated world without weather.</summary>
public sealed class ToldLoadTests
{
    private static readonly ClusterOptions Options = new();

    [Fact]
    public void A_controller_knows_the_newest_load_of_every_node_and_of_its_own()
    {
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
            var first = new SimulatedMember(kernel, bucket, network, "first", Options);
            await first.Joined;
            var second = new SimulatedMember(kernel, bucket, network, "second", Options);
            await second.Joined;
            var loads = first.Member.Local!.Controller.Loads;
            var own = new NodeLoad { BytesIn = 1 };
            var others = new NodeLoad { BytesIn = 2 };
            first.Member.WatchLoad(() => own);
            second.Member.WatchLoad(() => others);
            await kernel.Delay(TimeSpan.FromSeconds(1));
            Assert.Equal([1L, 2L], Heard());

            others = new NodeLoad { BytesIn = 3 };
            await kernel.Delay(TimeSpan.FromSeconds(1));
            Assert.Equal([1L, 3L], Heard());

            // Told once, and no more: without news it is old.
            await kernel.Delay(NodeLoad.FreshFor);
            Assert.Empty(Heard());

            IEnumerable<long> Heard() => loads.Fresh().Values.Select(load => load.BytesIn).Order();
        });
    }

    [Fact]
    public void A_load_is_told_until_it_was_heard_and_once_for_each_link()
    {
        using var kernel = new SimulationKernel(seed: 1);
        List<long?> told = [];
        kernel.Run(async () =>
        {
            var machine = new SimulatedNode(kernel, "node", lane => new SimulatedDisk(kernel, "node").Mount(lane));
            await machine.Start(async runtime =>
            {
                var reports = new NodeReports(new MetadataFeed()) { Lease = new ReadLease(runtime.Time, new NodeIncarnation(new NodeId(1), new NodeEpoch(1))) };
                var load = new NodeLoad { BytesIn = 1 };
                reports.Watch(() => load);
                await BeatAsync(HeartbeatOutcome.NotController, HeartbeatOutcome.Heard, HeartbeatOutcome.Heard);
                load = new NodeLoad { BytesIn = 2 };
                await BeatAsync(HeartbeatOutcome.Heard, HeartbeatOutcome.Heard);

                // Each ends its link when it has no more answers.
                async Task BeatAsync(params HeartbeatOutcome[] outcomes)
                {
                    var answers = new Queue<HeartbeatOutcome>(outcomes);
                    var beats = new Heartbeats(runtime, Options, Guid.Empty, reports, (request, _) =>
                    {
                        if (!answers.TryDequeue(out var outcome))
                        {
                            throw new IOException("The link has ended");
                        }

                        told.Add(request.Load?.BytesIn);
                        return ValueTask.FromResult(new NodeHeartbeatResponse { Outcome = (sbyte)outcome });
                    });
                    await beats.RunAsync(CancellationToken.None);
                }
            });
        });
        Assert.Equal([1, 1, null, 2, null], told);
    }
}
