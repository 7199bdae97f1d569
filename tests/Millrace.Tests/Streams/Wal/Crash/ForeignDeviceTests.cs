using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Tests.Streams.Wal.Media.Block;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>A device that is another's, or the copy of one.</summary>
public sealed class ForeignDeviceTests
{
    private const string OtherCluster = "another";
    private const int Looked = 2 << 20;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(RingMedia.Devices), MemberType = typeof(RingMedia))]
    public async Task That_of_another_cluster_is_refused_by_both_names_and_left_as_it_is(RingMedium medium)
    {
        await using var bed = BlockBed.On(medium);
        var wal = await bed.StoppedAsync(3);
        var before = bed.Read(0, Looked);
        var other = await bed.ProviderAsync(OtherCluster);

        var refused = await Assert.ThrowsAsync<WalUnavailableException>(
            async () => await other.CreateAsync(other.Describe(RingBed.Node, RingBed.Epoch, []), Token));

        Assert.Contains(
            $"holds WALs of node 7 of cluster {BlockBed.Cluster}, and this is node 7 of cluster {OtherCluster}", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"'millrace wal format {bed.Device}' empties it; else name another device", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, bed.Read(0, Looked));
        AssertSame(Records(3), await bed.RecoverAsync(wal));
    }

    [Theory]
    [MemberData(nameof(RingMedia.Devices), MemberType = typeof(RingMedia))]
    public async Task One_that_another_cluster_has_now_is_refused_to_whoever_left_a_wal_there(RingMedium medium)
    {
        await using var bed = BlockBed.On(medium);
        var wal = await bed.StoppedAsync(3);
        bed.Write(0, new byte[Looked]);
        var other = await bed.ProviderAsync(OtherCluster);
        await using var theirs = await other.CreateAsync(other.Describe(RingBed.Node, RingBed.Epoch, []), Token);
        await AppendAllAsync(theirs, Records(5));
        var before = bed.Read(0, Looked);

        // Theirs lives: it is not even asked to let go.
        Assert.Contains("is not the WAL of that node", (await bed.RefusalAsync(wal)).Message, StringComparison.Ordinal);
        Assert.Equal(before, bed.Read(0, Looked));
    }

    [Theory]
    [MemberData(nameof(RingMedia.Devices), MemberType = typeof(RingMedia))]
    public async Task A_clone_is_refused_and_left_as_it_is_and_the_original_serves(RingMedium medium)
    {
        await using var bed = BlockBed.On(medium);
        var wal = await bed.StoppedAsync(3);
        var (original, cloned) = (bed.Device, bed.Backing + "-clone");
        File.Copy(bed.Backing, cloned);
        using (var loop = bed.Loop is null ? null : LoopDevice.OverThat(cloned, bed.Sector))
        {
            bed.Device = loop?.Path ?? cloned;
            await AssertRefusedAsCopyAsync(bed, wal);
        }

        bed.Device = original;
        AssertSame(Records(3), await bed.RecoverAsync(wal));
    }

    [Fact]
    public async Task A_clone_in_the_place_of_the_original_is_refused_and_left_as_it_is()
    {
        await using var bed = BlockBed.On(RingMedium.FileForDevice);
        var wal = await bed.StoppedAsync(3);
        var provider = await bed.ProviderAsync();
        File.Move(bed.Backing, bed.Backing + "-original");
        File.Copy(bed.Backing + "-original", bed.Backing);

        // Who had found the original, and who starts with the clone.
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await provider.TakeOverAsync(wal, Token));
        Assert.Contains("is another one than when this node started", refused.Message, StringComparison.Ordinal);
        await AssertRefusedAsCopyAsync(bed, wal);

        File.Move(bed.Backing + "-original", bed.Backing, overwrite: true);
        AssertSame(Records(3), await bed.RecoverAsync(wal));
    }

    [Theory]
    [MemberData(nameof(RingMedia.Devices), MemberType = typeof(RingMedia))]
    public async Task The_label_of_another_device_before_a_ring_does_not_make_it_that_ones(RingMedium medium)
    {
        await using var bed = BlockBed.On(medium);
        var wal = await bed.StoppedAsync(3);
        var kept = bed.Read(0, BlockLabel.Sector);
        bed.Write(0, new byte[BlockLabel.Sector]);
        var next = await bed.ProviderAsync();
        await (await next.CreateAsync(next.Describe(RingBed.Node, RingBed.Epoch, [wal]), Token)).DisposeAsync();

        Assert.Contains("is a copy of the WAL", (await bed.RefusalAsync(wal)).Message, StringComparison.Ordinal);

        bed.Write(0, kept);
        AssertSame(Records(3), await bed.RecoverAsync(wal));
    }

    private static async Task AssertRefusedAsCopyAsync(BlockBed bed, WalDescriptor wal)
    {
        var before = bed.Read(0, Looked);
        var provider = await bed.ProviderAsync();
        var there = provider.Describe(RingBed.Node, RingBed.Epoch, []);
        var taken = await Assert.ThrowsAsync<WalUnavailableException>(async () => await provider.TakeOverAsync(wal with { Location = there.Location }, Token));
        var made = await Assert.ThrowsAsync<WalUnavailableException>(async () => await provider.CreateAsync(there, Token));
        foreach (var refused in (WalUnavailableException[])[taken, made])
        {
            Assert.Contains("is a copy of a WAL's device: it may lack records", refused.Message, StringComparison.Ordinal);
            Assert.Contains("else name another device", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, bed.Read(0, Looked));
    }
}
