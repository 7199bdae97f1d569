using Millrace.Runtime.Files.Linux;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Ring;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>What was written and not flushed when the power failed: any sectors of it may be missing, whichever was written first.</summary>
public sealed class LostWriteTests
{
    private const int Acknowledged = 3;
    private const int Tail = (int)(RingWal.LargeGroup / RingFormat.Sector) + 1;

    // The second goes beside the first since it is large.
    private static readonly int[] InFlight = [2 * RingFormat.Sector - RingBed.BlockHead, RingWal.LargeGroup];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task Of_two_groups_that_were_not_flushed_the_second_is_nothing_without_the_first(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var place = Acknowledged * RingFormat.Sector;
        var wal = await bed.CreateAsync();
        foreach (var record in Records(Acknowledged))
        {
            await wal.AppendAsync(record, out _);
        }

        var before = bed.ReadRing(wal.Descriptor, place, (2 + Tail) * RingFormat.Sector);
        await WriteWithoutFlushAsync(bed, wal);
        var after = bed.ReadRing(wal.Descriptor, place, (2 + Tail) * RingFormat.Sector);
        Assert.Equal(Acknowledged - 1, bed.Block(wal.Descriptor, Acknowledged + 1).Confirmed);

        foreach (var torn in TornWrite.Of(before, after, RingFormat.Sector, others: 16))
        {
            bed.WriteRing(wal.Descriptor, place, torn);
            var whole = Whole(torn, after, 0, InFlight[0]) ? Whole(torn, after, 2 * RingFormat.Sector, InFlight[1]) ? 2 : 1 : 0;
            await bed.AssertBringsBackAsync(
                wal.Descriptor, [.. Records(Acknowledged), .. InFlight.Take(whole).Select((size, i) => Record(Acknowledged + i, size))]);
        }
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task Room_is_used_again_only_when_the_trim_that_gave_it_up_was_flushed(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.CreateAsync();
        var size = wal.MaxRecordBytes / 2;
        var records = Records((int)(bed.RingSize / RingFormat.Align(RingBed.BlockHead + size)), size).ToList();
        foreach (var record in records)
        {
            await wal.AppendAsync(record, out _);
        }

        var waiting = wal.AppendAsync(Record(records.Count, size), out var position).AsTask();
        Assert.True(await Eventually.BecomesTrueAsync(() => wal.Fullness == 1));
        var headers = bed.Read(wal.Descriptor, 0, (int)RingFormat.RingStart);
        var head = bed.ReadRing(wal.Descriptor, 0, RingFormat.Sector);
        bed.Files.Before = (call, path) => call == "flush device" ? throw Failed(path) : default;
        await Assert.ThrowsAsync<StreamException>(async () => await wal.TrimAsync(position, Token));
        await Assert.ThrowsAsync<StreamException>(() => waiting);
        await wal.DisposeAsync();
        bed.Files.Before = HookedFiles.Pass;

        Assert.Equal(head, bed.ReadRing(wal.Descriptor, 0, RingFormat.Sector));
        bed.Write(wal.Descriptor, 0, headers);
        AssertSame(records, await bed.RecoverAsync(wal.Descriptor));
    }

    /// <summary>A group that waits for its flush, and one behind it that was written meanwhile.</summary>
    private static async Task WriteWithoutFlushAsync(RingBed bed, IWriteAheadLog wal)
    {
        var power = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bed.Files.Before = async (call, path) =>
        {
            if (call == "flush device")
            {
                await power.Task;
                throw Failed(path);
            }
        };
        var appends = new List<Task>();
        foreach (var size in InFlight)
        {
            var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            bed.Files.AfterWrite = written.SetResult;
            appends.Add(wal.AppendAsync(Record(Acknowledged + appends.Count, size), out _).AsTask());
            await written.Task.WaitAsync(Token);
        }

        power.SetResult();
        foreach (var append in appends)
        {
            await Assert.ThrowsAsync<StreamException>(() => append);
        }

        await wal.DisposeAsync();
        bed.Files.Before = HookedFiles.Pass;
        bed.Files.AfterWrite = () => { };
    }

    private static bool Whole(byte[] torn, byte[] after, int place, int size) =>
        torn.AsSpan(place, RingBed.BlockHead + size).SequenceEqual(after.AsSpan(place, RingBed.BlockHead + size));

    private static IOException Failed(string path) => new($"flush {path}: Input/output error (errno 5)", LinuxError.InputOutput);
}
