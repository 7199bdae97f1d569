using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Ring;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>A write that the power failed under, at every boundary of sectors that it has, over whatever stood there before.</summary>
public sealed class TornWriteTests
{
    private const int LastSize = 2 * RingFormat.Sector + 3700;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_block_that_is_torn_goes_whole_and_all_before_it_stays(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.CreateAsync();
        await AssertTearsWellAsync(bed, wal, end: 0, bed.Sector, others: 8);
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_block_that_is_torn_over_those_of_an_earlier_life_goes_whole(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var former = await bed.CreateAsync();
        foreach (var record in Records(10))
        {
            await former.AppendAsync(record, out _);
        }

        await former.RetireAsync(Token);
        await AssertTearsWellAsync(bed, await bed.CreateAsync(), end: 0, bed.Sector, others: 8);
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_block_that_is_torn_over_the_rings_end_goes_whole_wherever_that_cuts_it(RingMedium medium)
    {
        for (var beforeEnd = 0; beforeEnd <= 3; beforeEnd++)
        {
            await using var bed = RingBed.On(medium);
            var wal = await bed.CreateAsync();
            var end = bed.RingSize - (3 + beforeEnd) * RingFormat.Sector;
            await RingLaps.WriteUpToAsync(wal, end, Token);
            await AssertTearsWellAsync(bed, wal, end, RingFormat.Sector, others: 4);
        }
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_trim_that_is_torn_keeps_all_that_it_does_not_give_up(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.CreateAsync();
        foreach (var record in Records(6))
        {
            await wal.AppendAsync(record, out _);
        }

        var headers = new List<byte[]>();
        for (var trimmed = 0; trimmed <= 3; trimmed++)
        {
            await wal.TrimAsync(trimmed, Token);
            headers.Add(bed.Read(wal.Descriptor, 0, (int)RingFormat.RingStart));
        }

        await wal.DisposeAsync();
        for (var trimmed = 1; trimmed <= 3; trimmed++)
        {
            foreach (var torn in TornWrite.Of(headers[trimmed - 1], headers[trimmed], bed.Sector, others: 0))
            {
                bed.Write(wal.Descriptor, 0, torn);
                var (found, refused) = await bed.RehearseAsync(wal.Descriptor);
                Assert.Null(refused);
                Assert.InRange(found.Count, 6 - trimmed, 6 - trimmed + 1);
                AssertSame(Records(6).TakeLast(found.Count), found);
            }
        }
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_seal_that_is_torn_is_made_again_and_says_the_same(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.StoppedAsync(3);
        var before = bed.Read(wal, 0, (int)RingFormat.RingStart);
        await (await bed.TakeOverAsync(wal)).DisposeAsync();
        var after = bed.Read(wal, 0, (int)RingFormat.RingStart);
        Assert.NotEqual(before, after);
        foreach (var torn in TornWrite.Of(before, after, bed.Sector, others: 0))
        {
            bed.Write(wal, 0, torn);
            AssertSame(Records(3), await bed.RecoverAsync(wal));
            Assert.Equal((3, true), (bed.Header(wal).EndSequence, bed.Header(wal).IsSealed));
        }
    }

    /// <summary>Two blocks that are acknowledged, from <paramref name="end"/> on, and a third one that is torn.</summary>
    private static async Task AssertTearsWellAsync(RingBed bed, IWriteAheadLog wal, long end, int sector, int others)
    {
        await wal.AppendAsync(Record(0, 1000), out _);
        await wal.AppendAsync(Record(1, 1000), out _);
        var place = end + 2 * RingFormat.Sector;
        var before = bed.ReadRing(wal.Descriptor, place, (int)RingFormat.Align(RingBed.BlockHead + LastSize));
        await wal.AppendAsync(Record(2, LastSize), out _);
        await wal.DisposeAsync();
        var after = bed.ReadRing(wal.Descriptor, place, before.Length);

        // The sectors of a block that hold nothing but its padding may be missing.
        foreach (var torn in TornWrite.Of(before, after, sector, others))
        {
            var isWhole = torn.AsSpan(0, RingBed.BlockHead + LastSize).SequenceEqual(after.AsSpan(0, RingBed.BlockHead + LastSize));
            bed.WriteRing(wal.Descriptor, place, torn);
            await bed.AssertBringsBackAsync(wal.Descriptor, isWhole ? [.. Records(2), Record(2, LastSize)] : Records(2));
        }
    }
}
