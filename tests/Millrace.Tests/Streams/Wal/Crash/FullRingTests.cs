using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Ring;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>A ring that goes round, and one that is full.</summary>
public sealed class FullRingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task Blocks_come_back_wherever_the_rings_end_cuts_them_and_rot_in_either_part_stops_recovery(RingMedium medium)
    {
        const int Sectors = 3;
        const int Size = Sectors * RingFormat.Sector - RingBed.BlockHead;
        for (var beforeEnd = 0; beforeEnd <= Sectors; beforeEnd++)
        {
            await using var bed = RingBed.On(medium);
            var wal = await bed.CreateAsync();
            await RingLaps.WriteUpToAsync(wal, bed.RingSize - (1 + beforeEnd) * RingFormat.Sector, Token);
            await wal.AppendAsync(Record(0, 1000), out _);
            await wal.AppendAsync(Record(1, Size), out _);
            await wal.AppendAsync(Record(2, Size), out _);
            await wal.DisposeAsync();
            await bed.AssertBringsBackAsync(wal.Descriptor, [Record(0, 1000), Record(1, Size), Record(2, Size)]);

            var cut = bed.RingSize - beforeEnd * RingFormat.Sector;
            for (var place = 100; place < Sectors * RingFormat.Sector; place += RingFormat.Sector)
            {
                bed.FlipInRing(wal.Descriptor, cut + place);
                var (_, refused) = await bed.RehearseAsync(wal.Descriptor);
                Assert.Contains("is damaged", refused?.Message, StringComparison.Ordinal);
                bed.FlipInRing(wal.Descriptor, cut + place);
            }
        }
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_full_ring_lets_appends_wait_until_it_is_trimmed_and_goes_on(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        await using var wal = await bed.CreateAsync();
        var appends = await FillAsync(bed, wal);
        Assert.False(appends[^1].Durable.IsCompleted);
        Assert.Equal(1, wal.Fullness);
        for (var i = 0; i < appends.Count; i++)
        {
            await appends[i].Durable.WaitAsync(TimeSpan.FromSeconds(60), Token);
            if (i < appends.Count - 2)
            {
                await wal.TrimAsync(appends[i].Position + 1, Token);
            }
        }

        await wal.DisposeAsync();
        AssertSame(appends.TakeLast(2).Select(append => append.Record), (await bed.RecoverAsync(wal.Descriptor)).TakeLast(2));
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_full_ring_can_be_closed_and_what_waits_fails_and_what_was_acknowledged_comes_back(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.CreateAsync();
        var appends = await FillAsync(bed, wal);
        await wal.DisposeAsync();
        var failure = await Assert.ThrowsAsync<StreamException>(() => appends[^1].Durable.WaitAsync(TimeSpan.FromSeconds(60), Token));
        Assert.Equal(StreamError.Closed, failure.Error);

        var acknowledged = appends.Count(append => append.Durable.IsCompletedSuccessfully);
        var found = await bed.RecoverAsync(wal.Descriptor);
        Assert.InRange(found.Count, acknowledged, appends.Count - 1);
        AssertSame(appends.Take(found.Count).Select(append => append.Record), found);
    }

    /// <summary>Appends that are half as much again as the ring holds, of which as many are durable as it has room for.</summary>
    private static async Task<List<(Task Durable, long Position, StreamRecord Record)>> FillAsync(RingBed bed, IWriteAheadLog wal)
    {
        var appends = new List<(Task Durable, long Position, StreamRecord Record)>();
        for (var bytes = 0L; bytes < bed.RingSize * 3 / 2; bytes += wal.MaxRecordBytes / 2)
        {
            var record = Record(appends.Count, wal.MaxRecordBytes / 2);
            appends.Add((wal.AppendAsync(record, out var position).AsTask(), position, record));
        }

        Assert.True(await Eventually.BecomesTrueAsync(() => wal.Fullness == 1));
        return appends;
    }
}
