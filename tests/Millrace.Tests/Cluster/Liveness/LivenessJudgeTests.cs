using Millrace.Cluster;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;
using Xunit;

namespace Millrace.Tests.Cluster.Liveness;

/// <summary>How soon a controller gives nodes up, in a simulated world without weather.</summary>
public sealed class LivenessJudgeTests
{
    private static readonly ClusterOptions Options = new();
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    [Fact]
    public void A_node_that_hangs_is_given_up_when_its_session_is_over_and_not_later() =>
        Assert.InRange(
            TimeUntilGivenUp(world => world.Second.Node.Pause()),
            Options.FenceTime - Options.HeartbeatInterval - TimeSpan.FromMilliseconds(100),
            Options.FenceTime + TimeSpan.FromSeconds(1));

    [Fact]
    public void A_node_whose_process_is_gone_is_given_up_at_once() =>
        Assert.InRange(
            TimeUntilGivenUp(world =>
            {
                var lane = world.Second.Node.Lane!;
                world.Second.Node.Kill();
                world.Network.ProcessGone(lane);
            }),
            TimeSpan.Zero,
            Options.ProbeTime / 2);

    [Fact]
    public void A_node_whose_heartbeats_are_swallowed_while_its_port_refuses_is_waited_for_as_any_silent_one() =>
        Assert.InRange(
            TimeUntilGivenUp(world =>
            {
                world.First.IsRefusedByOthers = true;
                world.Network.Swallow("second", "first", TimeSpan.FromSeconds(20));
                world.Network.Swallow("first", "second", TimeSpan.FromSeconds(20));
            }),
            Options.FenceTime - Options.HeartbeatInterval - TimeSpan.FromMilliseconds(100),
            Options.FenceTime + TimeSpan.FromSeconds(1));

    [Fact]
    public void A_node_whose_connections_are_cut_is_not() =>
        Assert.Null(TimeUntilGivenUpIfEver(world => world.Network.Reset("first", "second")));

    [Fact]
    public void A_node_whose_writes_alone_do_not_reach_the_store_is_given_up_when_its_lease_has_ended() =>
        Assert.InRange(
            TimeUntilGivenUp(world =>
            {
                var since = world.Kernel.Now;
                world.Second.Member.WatchStore(() => world.Kernel.Now - since);
            }),
            Options.StallTime + Options.LeaseTime,
            Options.StallTime + Options.FenceTime + TimeSpan.FromSeconds(1));

    [Fact]
    public void When_the_writes_of_all_stall_nobody_is_given_up() =>
        Assert.Null(TimeUntilGivenUpIfEver(world =>
        {
            var since = world.Kernel.Now;
            world.First.Member.WatchStore(() => world.Kernel.Now - since);
            world.Second.Member.WatchStore(() => world.Kernel.Now - since);
        }));

    [Fact]
    public void A_store_that_is_away_for_all_costs_the_one_that_writes_nothing_though_the_others_ask_nothing_of_it() =>
        Assert.Null(TimeUntilGivenUpIfEver(world =>
        {
            var (since, until) = (world.Kernel.Now, world.Kernel.Now + TimeSpan.FromSeconds(10));
            world.Bucket.DownUntil = until;
            world.Second.Member.WatchStore(() => world.Kernel.Now < until ? world.Kernel.Now - since : TimeSpan.Zero);
        }));

    [Fact]
    public void A_node_that_is_cut_off_from_the_store_is_given_up_though_its_heartbeats_pause_at_times() =>
        Assert.InRange(
            TimeUntilGivenUp(world =>
            {
                var since = world.Kernel.Now;
                world.Second.Member.WatchStore(() => world.Kernel.Now - since);
                for (var second = 1; second < 20; second += 2)
                {
                    _ = PauseAsync(world, TimeSpan.FromSeconds(second), Options.ProbeTime + TimeSpan.FromMilliseconds(200));
                }
            }),
            Options.StallTime + Options.LeaseTime,
            Options.StallTime + Options.FenceTime + TimeSpan.FromSeconds(3));

    [Fact]
    public void A_node_whose_writes_arrive_again_at_the_last_moment_is_pardoned_and_not_taken_for_silent()
    {
        for (var stall = Options.StallTime + Options.FenceTime - TimeSpan.FromSeconds(1); stall < Options.StallTime + Options.FenceTime; stall += Step)
        {
            var until = stall;
            List<string> said = [];
            TimeUntilGivenUpIfEver(world =>
            {
                var since = world.Kernel.Now;
                world.Kernel.Trace.Listener = said.Add;
                world.Second.Member.WatchStore(() => world.Kernel.Now - since is var stalled && stalled < until ? stalled : TimeSpan.Zero);
            });
            Assert.DoesNotContain(said, line => line.Contains("silent for too long", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(4, true)]
    [InlineData(10, false)]
    public void Only_a_node_that_more_patience_would_have_spared_is_shown_more(int seconds, bool expected)
    {
        List<string> said = [];
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var world = await BeginAsync(kernel);
            kernel.Trace.Listener = said.Add;
            await PauseAsync(world, TimeSpan.Zero, TimeSpan.FromSeconds(seconds));
            await kernel.Delay(TimeSpan.FromSeconds(5));
            Assert.Single(world.First.Member.Metadata.Image.LiveNodes);
        });

        // Nor does the one that was away take the other's place, though it heard nothing for so long.
        Assert.DoesNotContain(said, line => line.Contains("is the controller now", StringComparison.Ordinal));
        Assert.Equal(expected, said.Exists(line => line.Contains("given twice the time", StringComparison.Ordinal)));
    }

    private static TimeSpan TimeUntilGivenUp(Action<World> trouble) => TimeUntilGivenUpIfEver(trouble)!.Value;

    private static TimeSpan? TimeUntilGivenUpIfEver(Action<World> trouble)
    {
        using var kernel = new SimulationKernel(seed: 1);
        TimeSpan? took = null;
        kernel.Run(async () =>
        {
            var world = await BeginAsync(kernel);
            var first = world.First;
            trouble(world);
            var began = kernel.Now;
            while (first.Member.Metadata.Image.LiveNodes.Count() == 2 && kernel.Now < began + TimeSpan.FromSeconds(20))
            {
                await kernel.Delay(TimeSpan.FromMilliseconds(10));
            }

            took = first.Member.Metadata.Image.LiveNodes.Count() == 2 ? null : kernel.Now - began;
        });
        return took;
    }

    private static async Task<World> BeginAsync(SimulationKernel kernel)
    {
        var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
        var first = new SimulatedMember(kernel, bucket, network, "first", Options);
        await first.Joined;
        var second = new SimulatedMember(kernel, bucket, network, "second", Options);
        await second.Joined;
        await kernel.Delay(TimeSpan.FromSeconds(5));
        Assert.Equal(2, first.Member.Metadata.Image.LiveNodes.Count());
        return new World(kernel, bucket, network, first, second);
    }

    private static async Task PauseAsync(World world, TimeSpan after, TimeSpan time)
    {
        await world.Kernel.Delay(after);
        world.Second.Node.Pause();
        await world.Kernel.Delay(time);
        world.Second.Node.Resume();
    }

    private sealed record World(
        SimulationKernel Kernel, SimulatedBucket Bucket, SimulatedNetwork Network, SimulatedMember First, SimulatedMember Second);
}
