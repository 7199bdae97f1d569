using Millrace.Cluster;
using Millrace.Cluster.Peers;
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
            var members = await JoinAsync(kernel, bucket, network, "first", "second", "third");
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

    [Fact]
    public void A_new_controller_suspects_its_predecessor_alone_and_nobody_else_who_has_not_come_to_it_yet()
    {
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
            var members = await JoinAsync(kernel, bucket, network, "first", "second", "third");
            members[0].Node.Kill();
            network.ProcessGone(members[0].Node.Lane!);
            // Its port refuses, for whatever reason, and its connections are cut; it lives.
            network.ProcessGone(members[2].Node.Lane!);
            await kernel.Delay(Options.FenceTime / 2);

            Assert.NotNull(members[1].Member.Local);
            Assert.Equal(["second", "third"], members[1].Member.Metadata.Image.LiveNodes.Select(node => node.Name));
        });
    }

    [Fact]
    public void A_controller_that_is_cut_off_from_the_store_loses_its_place_to_one_that_is_not()
    {
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
            var members = await JoinAsync(kernel, bucket, network, "first", "second", "third");
            members[0].Storage!.IsCutOff = true;
            // It looks at its log every ten seconds while all is calm.
            await kernel.Delay(Options.Controller.CalmOwnershipInterval + Options.StallTime * 2 + TimeSpan.FromSeconds(2));

            Assert.NotNull(members[1].Member.Local);
            Assert.Equal(members[1].Member.Metadata.Image.Version, members[2].Member.Metadata.Image.Version);

            members[0].Storage!.IsCutOff = false;
            await kernel.Delay(TimeSpan.FromSeconds(5));
            Assert.Null(members[0].Member.Local);
            Assert.NotNull(members[1].Member.Local);
            Assert.Empty(bucket.Keys("PROBE/"));
        });
    }

    [Fact]
    public void A_controller_keeps_its_place_while_the_store_is_away_for_all()
    {
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
            var members = await JoinAsync(kernel, bucket, network, "first", "second", "third");
            var term = members[0].Member.Metadata.Image.Version.Term;
            bucket.DownUntil = kernel.Now + TimeSpan.FromMinutes(1);
            await kernel.Delay(TimeSpan.FromSeconds(59));
            Assert.NotNull(members[0].Member.Local);

            await kernel.Delay(TimeSpan.FromSeconds(30));
            Assert.NotNull(members[0].Member.Local);
            Assert.Equal(term, members[0].Member.Metadata.Image.Version.Term);
            Assert.Equal(3, members[0].Member.Metadata.Image.LiveNodes.Count());
        });
    }

    [Fact]
    public void Whoever_hears_nothing_of_the_controller_and_has_nobody_to_ask_waits_twice_as_long()
    {
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
            var members = await JoinAsync(kernel, bucket, network, "first", "second");
            Cut(network, "first", "second", TimeSpan.FromMinutes(1));
            var began = kernel.Now;
            while (members[1].Member.Local is null && kernel.Now < began + TimeSpan.FromSeconds(30))
            {
                await kernel.Delay(TimeSpan.FromMilliseconds(50));
            }

            Assert.InRange(
                kernel.Now - began, Options.SuspicionTime * 2 - Options.PollTime, Options.SuspicionTime * 2 + TimeSpan.FromSeconds(2.5));
        });
    }

    [Fact]
    public void A_controller_that_others_hear_is_followed_again_when_the_way_to_it_is_free_though_the_store_is_away()
    {
        using var kernel = new SimulationKernel(seed: 1);
        kernel.Run(async () =>
        {
            var (bucket, network) = (new SimulatedBucket(kernel), new SimulatedNetwork(kernel));
            var members = await JoinAsync(kernel, bucket, network, "first", "second", "third");
            bucket.DownUntil = kernel.Now + TimeSpan.FromMinutes(10);
            Cut(network, "first", "third", TimeSpan.FromSeconds(20));
            await kernel.Delay(TimeSpan.FromSeconds(19));
            Assert.Null(await HeardAgoAsync(network, members[1], members[2]));

            await kernel.Delay(TimeSpan.FromSeconds(10));

            Assert.InRange((await HeardAgoAsync(network, members[1], members[2]))!.Value, TimeSpan.Zero, Options.PollTime * 2);
        });
    }

    private static readonly ClusterOptions Options = new();

    private static async Task<List<SimulatedMember>> JoinAsync(
        SimulationKernel kernel, SimulatedBucket bucket, SimulatedNetwork network, params string[] names)
    {
        var members = new List<SimulatedMember>();
        foreach (var name in names)
        {
            members.Add(new SimulatedMember(kernel, bucket, network, name, Options));
            await members[^1].Joined;
        }

        await kernel.Delay(TimeSpan.FromSeconds(5));
        Assert.NotNull(members[0].Member.Local);
        return members;
    }

    private static void Cut(SimulatedNetwork network, string one, string other, TimeSpan duration)
    {
        network.Swallow(one, other, duration);
        network.Swallow(other, one, duration);
    }

    /// <summary>How long ago a member has heard its controller, as it tells another; null if it has not, or follows none.</summary>
    private static async Task<TimeSpan?> HeardAgoAsync(SimulatedNetwork network, SimulatedMember asking, SimulatedMember asked)
    {
        TimeSpan? ago = null;
        await asking.Node.Lane!.Run(async () =>
        {
            var questions = new PeerQuestions(asking.Node.Runtime!, network.From(asking.Node.Name, asking.Node.Lane!), "test");
            var (_, view) = (await questions.AskAsync([asked.Member.Self], default))[0];
            ago = view is { HeardAgoMs: >= 0 and var milliseconds } ? TimeSpan.FromMilliseconds(milliseconds) : null;
        });
        return ago;
    }
}
