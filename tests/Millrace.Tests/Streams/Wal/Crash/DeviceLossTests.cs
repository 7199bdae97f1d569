using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>A device that shrinks, or is not there any more.</summary>
public sealed class DeviceLossTests
{
    private const long MiB = 1 << 20;
    private const long Large = BlockDeviceOptions.SmallestCapacity + 16 * MiB;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(RingMedia.Devices), MemberType = typeof(RingMedia))]
    public async Task One_that_has_shrunk_is_refused_by_its_sizes_and_serves_again_when_it_has_grown_back(RingMedium medium)
    {
        await using var bed = BlockBed.On(medium, Large);
        var wal = await bed.StoppedAsync(3);
        foreach (var (size, said) in ((long, string)[])[
            (Large - 8 * MiB, $"has {Large - 8 * MiB} bytes and had {Large}"),
            (20 * MiB, $"has {20 * MiB} bytes, and takes at least {BlockDeviceOptions.SmallestCapacity}")])
        {
            bed.Resize(size);
            var head = bed.Read(0, (int)(2 * MiB));
            Assert.Contains(said, (await bed.RefusalAsync(wal)).Message, StringComparison.Ordinal);
            var made = await Assert.ThrowsAsync<WalUnavailableException>(bed.CreateAsync);
            Assert.Contains(said, made.Message, StringComparison.Ordinal);
            Assert.Equal(head, bed.Read(0, head.Length));
        }

        bed.Resize(Large);
        AssertSame(Records(3), await bed.RecoverAsync(wal));
    }

    /// <summary>The write that runs over the new end is a short one.</summary>
    [Theory]
    [InlineData(RingMedium.DeviceOf512ByteSectors)]
    [InlineData(RingMedium.DeviceOf4096ByteSectors)]
    public async Task One_that_shrinks_under_its_writer_ends_it_and_keeps_what_was_acknowledged(RingMedium medium)
    {
        await using var bed = BlockBed.On(medium);
        var wal = await bed.CreateAsync();
        bed.Resize(8 * MiB);
        var acknowledged = new List<StreamRecord>();
        var failure = await Assert.ThrowsAsync<StreamException>(async () =>
        {
            while (acknowledged.Count < 16)
            {
                var record = Record(acknowledged.Count, (int)MiB);
                await wal.AppendAsync(record, out _);
                acknowledged.Add(record);
            }
        });
        Assert.Equal(StreamError.WalFailed, failure.Error);
        await wal.DisposeAsync();

        bed.Resize(BlockDeviceOptions.SmallestCapacity);
        AssertSame(acknowledged, await bed.RecoverAsync(wal.Descriptor));
    }

    [Theory]
    [MemberData(nameof(RingMedia.Devices), MemberType = typeof(RingMedia))]
    public async Task One_that_shrinks_under_its_reader_ends_the_recovery(RingMedium medium)
    {
        await using var bed = BlockBed.On(medium);
        var wal = await bed.CreateAsync();
        await AppendAllAsync(wal, Records(3, (int)MiB));
        await wal.DisposeAsync();
        await using (var recovery = await bed.TakeOverAsync(wal.Descriptor))
        {
            bed.Resize(2 * MiB);
            var failure = await Assert.ThrowsAsync<WalUnavailableException>(() => ReadAllAsync(recovery));
            Assert.Contains($"cannot be read: read past the end of {bed.Device}", failure.Message, StringComparison.Ordinal);
        }

        Assert.Contains("takes at least", (await bed.RefusalAsync(wal.Descriptor)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(RingMedia.Devices), MemberType = typeof(RingMedia))]
    public async Task One_that_is_away_is_named_and_serves_again_when_it_is_back(RingMedium medium)
    {
        await using var bed = BlockBed.On(medium);
        var wal = await bed.StoppedAsync(3);
        var provider = await bed.ProviderAsync();
        var away = bed.Backing + "-away";
        bed.Loop?.Detach();
        File.Move(bed.Backing, away);

        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await provider.TakeOverAsync(wal, Token));
        Assert.Contains(bed.Loop is null ? $"{bed.Device} is not there any more" : $"{bed.Device} has 0 bytes", refused.Message, StringComparison.Ordinal);
        Assert.True(refused.MayPass);
        Assert.False(File.Exists(bed.Backing));

        File.Move(away, bed.Backing);
        bed.Loop?.Attach();
        await using var recovery = await provider.TakeOverAsync(wal, Token);
        await AssertHoldsAsync(recovery, Records(3));
    }

    /// <summary>A process that starts meanwhile makes a file, as it would make its first one.</summary>
    [Fact]
    public async Task A_new_file_in_the_place_of_one_that_is_away_is_not_taken_for_it()
    {
        await using var bed = BlockBed.On(RingMedium.FileForDevice);
        var wal = await bed.StoppedAsync(3);
        File.Move(bed.Backing, bed.Backing + "-away");
        Assert.Contains("bears no label of a WAL", (await bed.RefusalAsync(wal)).Message, StringComparison.Ordinal);

        File.Move(bed.Backing + "-away", bed.Backing, overwrite: true);
        AssertSame(Records(3), await bed.RecoverAsync(wal));
    }
}
