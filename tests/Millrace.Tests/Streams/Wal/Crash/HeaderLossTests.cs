using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Ring;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>A ring's header stands in two slots: either alone is enough.</summary>
public sealed class HeaderLossTests
{
    // All that a header says, and the beginning of its identity.
    private const int HeaderBytes = 160;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_bit_anywhere_in_a_slot_does_no_harm(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await TrimmedAsync(bed);
        var newest = bed.Header(wal).SlotSequence % RingFormat.HeaderSlots;
        for (var place = 0; place < HeaderBytes; place += bed.Stride)
        {
            await AssertHarmlessAsync(bed, wal, newest * RingFormat.Sector + place);
        }

        for (var place = 0; place < RingFormat.Sector; place += 101)
        {
            await AssertHarmlessAsync(bed, wal, (1 - newest) * RingFormat.Sector + place);
        }
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_slot_that_is_lost_does_no_harm_before_the_seal_or_after(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await TrimmedAsync(bed);
        for (var round = 0; round < 2; round++)
        {
            for (var slot = 0; slot < RingFormat.HeaderSlots; slot++)
            {
                var kept = bed.Read(wal, slot * RingFormat.Sector, RingFormat.Sector);
                bed.Write(wal, slot * RingFormat.Sector, new byte[RingFormat.Sector]);
                await AssertHoldsAtLeastAsync(bed, wal);
                bed.Write(wal, slot * RingFormat.Sector, kept);
            }

            await (await bed.TakeOverAsync(wal)).DisposeAsync();
            Assert.True(bed.Header(wal).IsSealed);
        }
    }

    /// <summary>Where the older slot says that the ring begins, another lap stands by then.</summary>
    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_slot_that_is_lost_does_no_harm_though_what_was_trimmed_last_is_written_over(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.CreateAsync();
        var size = (int)(bed.RingSize / 8 / RingFormat.Sector * RingFormat.Sector) - RingBed.BlockHead;
        var filler = (int)(bed.RingSize - 7 * (size + RingBed.BlockHead)) - RingBed.BlockHead;
        long position = 0;
        for (var i = 0; i < 8; i++)
        {
            await wal.AppendAsync(Record(i, i == 7 ? filler : size), out position);
        }

        await wal.TrimAsync(position + 1, Token);
        var lap = Enumerable.Range(8, 8).Select(i => Record(i, i == 15 ? filler : size)).ToList();
        await AppendAllAsync(wal, lap);
        await wal.DisposeAsync();
        for (var slot = 0; slot < RingFormat.HeaderSlots; slot++)
        {
            bed.Flip(wal.Descriptor, slot * RingFormat.Sector + 70);
            await bed.AssertBringsBackAsync(wal.Descriptor, lap);
            bed.Flip(wal.Descriptor, slot * RingFormat.Sector + 70);
        }
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_ring_without_any_header_is_refused_by_name_and_left_as_it_is(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await TrimmedAsync(bed);
        var whole = bed.Read(wal, 0, (int)RingFormat.RingStart);
        foreach (var damage in (byte[][])[new byte[RingFormat.RingStart], Flipped(whole)])
        {
            bed.Write(wal, 0, damage);
            var refused = await bed.RefusalAsync(wal);
            Assert.Contains("is not the WAL of that node: it was replaced or overwritten", refused.Message, StringComparison.Ordinal);
            Assert.Contains("What is needed is what node 7 wrote", refused.Message, StringComparison.Ordinal);
            Assert.False(refused.MayPass);
            Assert.Equal(damage, bed.Read(wal, 0, damage.Length));
        }

        bed.Write(wal, 0, whole);
        await AssertHoldsAtLeastAsync(bed, wal);
    }

    private static byte[] Flipped(byte[] headers)
    {
        var flipped = (byte[])headers.Clone();
        for (var slot = 0; slot < RingFormat.HeaderSlots; slot++)
        {
            flipped[slot * RingFormat.Sector + 20] ^= 1;
        }

        return flipped;
    }

    /// <summary>Blocks of which the first two were given up, one after the other.</summary>
    private static async Task<WalDescriptor> TrimmedAsync(RingBed bed)
    {
        await using var wal = await bed.CreateAsync();
        foreach (var record in Records(6))
        {
            await wal.AppendAsync(record, out _);
        }

        await wal.TrimAsync(1, Token);
        await wal.TrimAsync(2, Token);
        return wal.Descriptor;
    }

    private static async Task AssertHarmlessAsync(RingBed bed, WalDescriptor wal, long position)
    {
        bed.Flip(wal, position);
        await AssertHoldsAtLeastAsync(bed, wal);
        bed.Flip(wal, position);
    }

    /// <summary>All that was kept, and what was trimmed at most besides.</summary>
    private static async Task AssertHoldsAtLeastAsync(RingBed bed, WalDescriptor wal)
    {
        var (found, refused) = await bed.RehearseAsync(wal);
        Assert.Null(refused);
        Assert.InRange(found.Count, 4, 6);
        AssertSame(Records(6).TakeLast(found.Count), found);
    }
}
