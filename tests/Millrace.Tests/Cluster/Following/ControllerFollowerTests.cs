using Millrace.Cluster;
using Millrace.Network.Access;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;
using Xunit;

namespace Millrace.Tests.Cluster.Following;

/// <summary>What a member makes of a controller that does not do all that it should, in a simulated world without weather.</summary>
public sealed class ControllerFollowerTests
{
    private static readonly ClusterOptions Options = new();

    [Fact]
    public void A_heartbeat_that_is_not_answered_ends_the_connection_and_the_next_one_brings_the_lease() =>
        Run(async world =>
        {
            ClientConnection? swallowing = null;
            world.Controller.BeforeHeartbeat = async (context, token) =>
            {
                swallowing ??= context.Connection;
                if (context.Connection == swallowing)
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, world.Controller.Node.Runtime!.Time, token);
                }
            };
            await world.Kernel.Delay(Options.LeaseTime + Options.SuspicionTime / 2);

            Assert.True(world.Member.Member.Lease.IsHeld);
        });

    [Fact]
    public void A_connection_for_heartbeats_that_alone_is_lost_is_dialled_again() =>
        Run(async world =>
        {
            var isLost = false;
            world.Controller.BeforeHeartbeat = (context, _) =>
            {
                if (!isLost)
                {
                    isLost = true;
                    context.Disconnect();
                }

                return default;
            };
            await world.Kernel.Delay(Options.LeaseTime + TimeSpan.FromSeconds(1));

            Assert.True(isLost);
            Assert.True(world.Member.Member.Lease.IsHeld);
        });

    [Fact]
    public void News_that_do_not_follow_are_no_broken_connection_and_the_bucket_is_read_instead() =>
        Run(async world =>
        {
            var controller = await world.Controller.Began;
            (long, long)? place = null;
            world.Controller.Follow = request =>
            {
                place ??= (request.NextTerm, request.NextIndex);
                return place != (request.NextTerm, request.NextIndex) ? null : new FollowMetadataResponse
                {
                    // Of a place that is known, and of what stands behind it.
                    Entries = [new() { Term = request.NextTerm, Index = request.NextIndex - 1 }],
                    NextTerm = request.NextTerm,
                    NextIndex = request.NextIndex,
                };
            };
            // The question that is under way.
            await world.Kernel.Delay(Options.PollTime);
            await world.Controller.Node.Lane!.Run(async () => await controller.SubmitAsync(Renew, default));
            await world.Kernel.Delay(TimeSpan.FromSeconds(2));

            Assert.NotNull(place);
            Assert.Equal(controller.Metadata.Image.Version, world.Member.Member.Metadata.Image.Version);
        });

    [Fact]
    public void News_that_can_never_be_had_are_asked_for_at_a_bounded_pace()
    {
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
            var controller = new MoodyController(kernel, bucket, network);
            await controller.Began;
            var questions = 0;
            controller.Follow = _ =>
            {
                questions++;
                return new FollowMetadataResponse { Outcome = (sbyte)FollowOutcome.TooFarBack };
            };
            _ = new SimulatedMember(kernel, bucket, network, "member", Options);
            await kernel.Delay(TimeSpan.FromSeconds(30));

            Assert.InRange(questions, 15, 70);
        });
    }

    private static void Renew(Millrace.Controller.PendingEntry entry) =>
        entry.Add(new Millrace.Metadata.FeatureLevelRecord { Level = Millrace.Controller.Log.MetadataLog.HighestFeatureLevel });

    private static void Run(Func<World, Task> test)
    {
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
            var controller = new MoodyController(kernel, bucket, network);
            await controller.Began;
            var member = new SimulatedMember(kernel, bucket, network, "member", Options);
            await member.Joined;
            await kernel.Delay(TimeSpan.FromSeconds(2));
            Assert.True(member.Member.Lease.IsHeld);
            await test(new World(kernel, controller, member));
        });
    }

    private sealed record World(SimulationKernel Kernel, MoodyController Controller, SimulatedMember Member);
}
