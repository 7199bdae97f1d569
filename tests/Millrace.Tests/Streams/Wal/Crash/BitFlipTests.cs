using Millrace.Streams.Wal.Ring;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>Bits that turn over in what was acknowledged: it comes back as it was, or the recovery says that it cannot.</summary>
public sealed class BitFlipTests
{
    private const int Blocks = 5;
    private const int Size = 1000;

    // Nobody reads these of a block: two bytes of its head that are zero, and what pads it to whole sectors.
    private const int Unused = 6;
    private const int UnusedEnd = 8;
    private const int Padding = RingBed.BlockHead + Size;

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_bit_anywhere_in_a_block_that_a_later_one_confirms_stops_recovery_by_name(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.StoppedAsync(Blocks);
        for (var sequence = 0; sequence < Blocks - 1; sequence++)
        {
            // Every byte of one head; of the others, which stand elsewhere, some.
            foreach (var place in PlacesInBlock(step: sequence == 2 ? bed.Stride : 11))
            {
                var at = bed.Block(wal, sequence).RingPosition + place;
                bed.FlipInRing(wal, at);
                var (found, refused) = await bed.RehearseAsync(wal);
                if (IsRead(place))
                {
                    Assert.Contains($"is damaged: its block {sequence}", refused?.Message, StringComparison.Ordinal);
                    Assert.Contains("Only a copy of the disk can have them", refused!.Message, StringComparison.Ordinal);
                }
                else
                {
                    Assert.Null(refused);
                    AssertSame(Records(Blocks), found);
                }

                bed.FlipInRing(wal, at);
            }
        }

        await bed.AssertBringsBackAsync(wal, Records(Blocks));
    }

    /// <summary>Nothing tells it from one that was torn: docs/known-limits.md says so.</summary>
    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_bit_in_the_last_block_that_nothing_confirms_takes_that_block_alone(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.StoppedAsync(Blocks);
        var last = bed.Block(wal, Blocks - 1).RingPosition;
        foreach (var place in PlacesInBlock(step: 9))
        {
            bed.FlipInRing(wal, last + place);
            await bed.AssertBringsBackAsync(wal, Records(IsRead(place) ? Blocks - 1 : Blocks));
            bed.FlipInRing(wal, last + place);
        }
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_block_that_was_dropped_stays_so_though_its_bits_come_back(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.StoppedAsync(Blocks);
        var place = bed.Block(wal, Blocks - 1).RingPosition + 500;
        bed.FlipInRing(wal, place);
        AssertSame(Records(Blocks - 1), await bed.RecoverAsync(wal));
        bed.FlipInRing(wal, place);
        AssertSame(Records(Blocks - 1), await bed.RecoverAsync(wal));
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_bit_in_the_last_block_stops_recovery_when_the_header_confirms_it(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.CreateAsync();
        foreach (var record in Records(Blocks))
        {
            await wal.AppendAsync(record, out _);
        }

        await wal.TrimAsync(1, TestContext.Current.CancellationToken);
        await wal.DisposeAsync();
        var last = bed.Block(wal.Descriptor, Blocks - 1).RingPosition;
        foreach (var place in PlacesInBlock(step: 50).Where(IsRead))
        {
            bed.FlipInRing(wal.Descriptor, last + place);
            var (_, refused) = await bed.RehearseAsync(wal.Descriptor);
            Assert.Contains($"is damaged: its block {Blocks - 1}", refused?.Message, StringComparison.Ordinal);
            bed.FlipInRing(wal.Descriptor, last + place);
        }
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_bit_of_any_block_that_turns_over_after_the_seal_stops_recovery(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.StoppedAsync(Blocks);
        AssertSame(Records(Blocks), await bed.RecoverAsync(wal));
        for (var sequence = 0; sequence < Blocks; sequence++)
        {
            foreach (var place in PlacesInBlock(step: 50).Where(IsRead))
            {
                var at = bed.Block(wal, sequence).RingPosition + place;
                bed.FlipInRing(wal, at);
                var refused = await bed.RefusalAsync(wal);
                Assert.Contains($"block {sequence} ", refused.Message, StringComparison.Ordinal);
                bed.FlipInRing(wal, at);
            }
        }

        AssertSame(Records(Blocks), await bed.RecoverAsync(wal));
    }

    /// <summary>The device said that it had flushed them.</summary>
    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_write_that_was_acknowledged_and_never_reached_the_medium_stops_recovery(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.StoppedAsync(Blocks);
        var lost = bed.Block(wal, 1);
        bed.WriteRing(wal, lost.RingPosition, new byte[lost.BlockLength]);
        var refused = await bed.RefusalAsync(wal);
        Assert.Contains("is damaged: its block 1", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task Bits_where_nothing_was_written_are_nobodys(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.StoppedAsync(Blocks);
        var random = new Random(1);
        for (var i = 0; i < 10; i++)
        {
            bed.FlipInRing(wal, random.NextInt64(Blocks * RingFormat.Sector, bed.RingSize));
        }

        await bed.AssertBringsBackAsync(wal, Records(Blocks));
    }

    private static bool IsRead(int place) => place is (< Unused or >= UnusedEnd) and < Padding;

    /// <summary>Its head by steps, and some of its record and of what lies behind it.</summary>
    private static IEnumerable<int> PlacesInBlock(int step)
    {
        for (var place = 0; place < RingBed.BlockHead; place += step)
        {
            yield return place;
        }

        for (var place = RingBed.BlockHead; place < Padding; place += 97)
        {
            yield return place;
        }

        yield return Padding - 1;
        yield return Padding;
        yield return RingFormat.Sector - 1;
    }
}
