using Millrace.Controller;
using Millrace.Controller.Log;
using Millrace.Metadata.Records;
using Millrace.ObjectStorage.Memory;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Primitives;
using Xunit;

namespace Millrace.Tests.Controller.Log;

/// <summary>A metadata log that is followed by what its owner tells, and not by reading the bucket.</summary>
public sealed class FedLogTests
{
    private static readonly ClusterControllerOptions Quiet = new() { CollectionInterval = TimeSpan.FromDays(10) };
    private readonly MemoryObjectStorage _storage = new();

    [Fact]
    public async Task A_copy_that_is_fed_its_cluster_half_over_a_change_of_owner_knows_what_is_in_the_bucket()
    {
        await using var follower = new ControllerNode(_storage);
        MetadataLog copy;
        await using (var first = new ControllerNode(_storage))
        {
            var controller = await first.StartAsync(Quiet);
            copy = await OpenClusterAsync(follower);
            await controller.RegisterAsync(first.Registration, default);
        }

        await using var second = new ControllerNode(_storage);
        var successor = await second.StartAsync(Quiet);
        await successor.RegisterAsync(second.Registration, default);
        Feed(copy, successor.Controller.Recent, maxBytes: 1);

        Assert.Equal(successor.Metadata.Image.Version, copy.Image.Version);
        Assert.Equal(second.Seal.IncarnationId, copy.Owner!.IncarnationId);
        Assert.Equal(Print(await OpenClusterAsync(follower)), Print(copy));
        // The bucket agrees, and has nothing to add.
        var next = copy.Next;
        await copy.ReadToTailAsync(default);
        Assert.Equal(next, copy.Next);
    }

    [Fact]
    public async Task A_whole_copy_that_is_fed_takes_over_with_all_that_its_predecessor_knew()
    {
        await using var standby = new ControllerNode(_storage);
        byte[] before;
        MetadataLog copy;
        await using (var first = new ControllerNode(_storage))
        {
            var controller = await first.StartAsync(Quiet);
            copy = await standby.OpenLogAsync();
            var node = await controller.RegisterAsync(first.Registration, default);
            await controller.CreateAsync(node, default);
            await controller.PrepareAsync(node, 3, default);
            Feed(copy, controller.Controller.Recent, maxBytes: 1_000);
            before = ClusterScript.Bytes(controller.Controller.State);
        }

        Assert.Equal(before, ClusterScript.Bytes(copy.State));
        Assert.True(await copy.TryTakeOverAsync(standby.Seal, default));
        Assert.Equal(before, ClusterScript.Bytes(copy.State));
        await copy.DisposeAsync();
    }

    [Fact]
    public async Task What_does_not_follow_what_is_known_is_refused_and_changes_nothing()
    {
        await using var standby = new ControllerNode(_storage);
        await using var first = new ControllerNode(_storage);
        var controller = await first.StartAsync(Quiet);
        var copy = await standby.OpenLogAsync();
        var next = copy.Next;
        await controller.RegisterAsync(first.Registration, default);
        await controller.RegisterAsync(first.Registration with { Incarnation = first.Runtime.NewId(), Name = "other" }, default);
        var steps = controller.Controller.Recent.Read(next, whole: true, int.MaxValue)!.Steps;

        Assert.Throws<ProtocolException>(() => copy.Feed(steps[1]));
        Assert.Throws<ProtocolException>(() => copy.Feed(LogStep.Tail(next.Next)));
        Assert.Throws<ProtocolException>(() => copy.Feed(steps[0] with { Place = next.NextTerm }));
        copy.ForgetStreams();
        copy.Feed(steps[1]);
        Assert.Throws<ProtocolException>(() => copy.Feed(steps[0]));
        await copy.DisposeAsync();
    }

    private static void Feed(MetadataLog copy, RecentEntries recent, int maxBytes)
    {
        while (recent.Read(copy.Next, copy.IsWhole, maxBytes) is { Steps.Count: > 0 } part)
        {
            foreach (var step in part.Steps)
            {
                copy.Feed(step);
            }
        }
    }

    private Task<MetadataLog> OpenClusterAsync(ControllerNode node) =>
        MetadataLog.OpenClusterAsync(node.Runtime, _storage, node.LogOptions, default).AsTask();

    private static string Print(MetadataLog log) =>
        Convert.ToHexString(MetadataEntry.Write(log.Image.ToRecords()));
}
