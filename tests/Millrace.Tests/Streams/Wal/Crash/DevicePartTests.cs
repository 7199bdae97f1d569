using Millrace.Runtime.Ids;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>Damage to the parts of a device: its label, and either half.</summary>
public sealed class DevicePartTests
{
    private const int LabelBytes = 512;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(RingMedia.Devices), MemberType = typeof(RingMedia))]
    public async Task A_half_that_is_lost_is_refused_and_the_other_one_comes_back(RingMedium medium)
    {
        await using var bed = BlockBed.On(medium);
        var wals = await InBothHalvesAsync(bed);
        for (var half = 0; half < BlockLayout.Halves; half++)
        {
            var (lost, other) = (wals[half], wals[1 - half]);
            var kept = bed.Read(lost, 0, 1 << 20);
            var noise = new byte[kept.Length];
            new Random(half).NextBytes(noise);
            bed.Write(lost, 0, noise);
            Assert.Contains("is not the WAL of that node", (await bed.RefusalAsync(lost)).Message, StringComparison.Ordinal);
            await bed.AssertBringsBackAsync(other, Records(other == wals[0] ? 3 : 4));
            bed.Write(lost, 0, kept);
        }
    }

    [Theory]
    [MemberData(nameof(RingMedia.Devices), MemberType = typeof(RingMedia))]
    public async Task A_bit_anywhere_in_the_label_stops_all_by_name_and_all_comes_back_with_it(RingMedium medium)
    {
        await using var bed = BlockBed.On(medium);
        var wals = await InBothHalvesAsync(bed);
        var provider = await bed.ProviderAsync();
        for (var place = 0; place < LabelBytes; place += bed.Stride)
        {
            bed.Flip(place);
            var damaged = bed.Read(0, LabelBytes);
            var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () =>
            {
                if (place % 2 == 0)
                {
                    await provider.TakeOverAsync(wals[place / 2 % 2], Token);
                }
                else
                {
                    await provider.CreateAsync(provider.Describe(RingBed.Node, RingBed.Epoch, []), Token);
                }
            });
            Assert.Matches("bears no label of a WAL|has format .* another version|holds something that is not Millrace's", refused.Message);
            Assert.Contains($"'millrace wal format {bed.Device}' empties it", refused.Message, StringComparison.Ordinal);
            Assert.Equal(damaged, bed.Read(0, LabelBytes));
            bed.Flip(place);
        }

        await bed.AssertBringsBackAsync(wals[0], Records(3));
        await bed.AssertBringsBackAsync(wals[1], Records(4));
    }

    [Theory]
    [MemberData(nameof(RingMedia.Devices), MemberType = typeof(RingMedia))]
    public async Task A_label_that_was_torn_when_it_was_made_is_whole_or_made_again(RingMedium medium)
    {
        await using var bed = BlockBed.On(medium);
        await bed.StoppedAsync(1);
        var label = bed.Read(0, BlockLabel.Sector);
        foreach (var torn in TornWrite.Of(new byte[BlockLabel.Sector], label, bed.Sector, others: 0))
        {
            bed.Write(0, torn);
            AssertSame(Records(3), await bed.RecoverAsync(await bed.StoppedAsync(3)));
        }
    }

    /// <summary>The first half has blocks of three records, the second of four.</summary>
    private static async Task<WalDescriptor[]> InBothHalvesAsync(BlockBed bed)
    {
        var first = await bed.StoppedAsync(3);
        var provider = await bed.ProviderAsync();
        await using var second = await provider.CreateAsync(provider.Describe(RingBed.Node, new NodeEpoch(RingBed.Epoch.Value + 1), [first]), Token);
        Assert.NotEqual(first.Location, second.Descriptor.Location);
        await AppendAllAsync(second, Records(4));
        return [first, second.Descriptor];
    }
}
