using Millrace.Runtime.Files;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Ring;

public abstract class FileWalTests(WalDeviceMode mode) : WalContract
{
    private const int Capacity = 8 << 20;

    [Fact]
    public async Task A_wal_that_a_living_process_holds_is_not_taken_over()
    {
        await using var wal = await CreateAsync();
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await NewProvider().TakeOverAsync(wal.Descriptor, Token));
        Assert.Contains("held by a living process", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_retired_wal_that_a_living_process_holds_stays()
    {
        await using var wal = await CreateAsync();
        Assert.False(await NewProvider().DiscardAsync(wal.Descriptor, Token));
        Assert.True(File.Exists(wal.Descriptor.Location));
    }

    [Fact]
    public async Task A_discarded_wal_becomes_the_spare_and_one_from_another_folder_goes()
    {
        var wal = await StoppedAsync(3);
        Assert.True(await NewProvider().DiscardAsync(wal, Token));
        Assert.Equal(["spare.wal"], Directory.GetFiles(Path.GetDirectoryName(wal.Location)!).Select(Path.GetFileName));

        var elsewhere = await StoppedAsync(3);
        Assert.True(await NewProvider(Path.Combine(Machine.Folder, "now")).DiscardAsync(elsewhere, Token));
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(elsewhere.Location)!));
    }

    [Fact]
    public async Task Files_of_WALs_that_are_not_known_are_found_and_left_alone()
    {
        var (known, other) = (await StoppedAsync(1), await StoppedAsync(1));
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(known.Location)!, "notes.wal"), "not ours");
        Assert.Equal([other.Location], await NewProvider().FindOthersAsync(new HashSet<Guid> { known.Id }, Token));
        Assert.True(File.Exists(other.Location));
    }

    [Fact]
    public async Task A_missing_wal_is_refused()
    {
        var wal = await StoppedAsync(3);
        File.Delete(wal.Location);
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await NewProvider().TakeOverAsync(wal, Token));
        Assert.Contains("is missing", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copy_is_refused_and_the_original_moved_elsewhere_is_not()
    {
        var wal = await StoppedAsync(3);
        var moved = Path.Combine(Machine.Folder, "moved");
        File.Move(wal.Location, moved);
        File.Copy(moved, wal.Location);
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await NewProvider().TakeOverAsync(wal, Token));
        Assert.Contains("is a copy", refused.Message, StringComparison.Ordinal);

        File.Move(moved, wal.Location, overwrite: true);
        await using var recovery = await NewProvider().TakeOverAsync(wal, Token);
        await AssertHoldsAsync(recovery, Enumerable.Range(0, 3).Select(i => Record(i, 1000)));
    }

    [Fact]
    public async Task A_wal_is_found_by_its_name_in_a_folder_that_has_moved()
    {
        var wal = await StoppedAsync(3);
        var moved = Path.Combine(Machine.Folder, "moved");
        Directory.Move(Path.GetDirectoryName(wal.Location)!, moved);
        await using var recovery = await NewProvider(moved).TakeOverAsync(wal, Token);
        await AssertHoldsAsync(recovery, Enumerable.Range(0, 3).Select(i => Record(i, 1000)));
    }

    [Theory]
    [InlineData("a newer format", "has format 2, and this program knows 1: another version of Millrace wrote it")]
    [InlineData("nothing", "which is no WAL: it was cut short")]
    [InlineData("zeros", "is not the WAL of that node")]
    [InlineData("text", "is not the WAL of that node")]
    [InlineData("a folder", "cannot be used")]
    public async Task What_is_no_wal_of_this_version_is_refused_by_its_name_and_left_as_it_is(string found, string said)
    {
        var wal = await StoppedAsync(3);
        var before = await PlantAsync(wal.Location, found);
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await NewProvider().TakeOverAsync(wal, Token));
        Assert.Contains(wal.Location, refused.Message, StringComparison.Ordinal);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        if (found != "a folder")
        {
            Assert.Equal(before, await File.ReadAllBytesAsync(wal.Location, Token));
        }
    }

    private static async Task<byte[]> PlantAsync(string path, string what)
    {
        var bytes = await File.ReadAllBytesAsync(path, Token);
        if (what == "a folder")
        {
            File.Delete(path);
            Directory.CreateDirectory(path);
            return [];
        }

        if (what == "a newer format")
        {
            bytes[4] = bytes[RingFormat.Sector + 4] = 2;
        }
        else
        {
            bytes = what == "nothing" ? [] : new byte[bytes.Length];
            bytes.AsSpan().Fill(what == "text" ? (byte)'x' : (byte)0);
        }

        // Into the same file: another one would be refused for being another one.
        await using var file = File.OpenWrite(path);
        await file.WriteAsync(bytes, Token);
        file.SetLength(bytes.Length);
        return bytes;
    }

    [Fact]
    public async Task The_wal_of_another_incarnation_is_refused()
    {
        var wal = await StoppedAsync(3);
        var other = await StoppedAsync(3);
        File.Move(other.Location, wal.Location, overwrite: true);
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await NewProvider().TakeOverAsync(wal, Token));
        Assert.Contains("is not the WAL", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_retired_wal_leaves_one_spare_file_that_the_next_one_uses()
    {
        var first = await CreateAsync();
        await AppendAllAsync(first, [Record(0, 5000)]);
        await first.RetireAsync(Token);
        Assert.Equal(["spare.wal"], WalFiles());

        var second = await CreateAsync();
        Assert.Equal([Path.GetFileName(second.Descriptor.Location)], WalFiles());
        await second.DisposeAsync();
        await using var recovery = await NewProvider().TakeOverAsync(second.Descriptor, Token);
        await AssertHoldsAsync(recovery, []);
        await recovery.CompleteAsync(Token);
        Assert.Equal(["spare.wal"], WalFiles());
    }

    [Fact]
    public async Task What_has_its_place_becomes_durable_though_nothing_is_trimmed_and_stays_so()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var wal = await CreateAsync();
            List<(long Position, Task Durable)> placed = [], others = [];
            for (var i = 0; i < 40; i++)
            {
                var durable = wal.AppendAsync(Record(i, random.Next(random.Next(1_000_000))), out var position).AsTask();
                (wal.HasPlaceFor(position) ? placed : others).Add((position, durable));
            }

            await Task.WhenAll(placed.Select(one => one.Durable)).WaitAsync(TimeSpan.FromSeconds(30), Token);
            Assert.All(placed, one => Assert.True(wal.HasPlaceFor(one.Position)));
            Assert.NotEmpty(placed);
            Assert.NotEmpty(others);

            // What has waited has its place once there is space.
            while (others.Exists(one => !one.Durable.IsCompleted))
            {
                await wal.TrimAsync(others.Concat(placed).Where(one => one.Durable.IsCompleted).Max(one => one.Position) + 1, Token);
                await Task.Delay(1, Token);
            }

            Assert.All(others, one => Assert.True(wal.HasPlaceFor(one.Position)));
            await wal.DisposeAsync();
            await Task.WhenAll(others.Select(one => one.Durable));
        }
    }

    [Fact]
    public async Task An_append_that_is_too_large_is_refused_before_it_takes_a_place()
    {
        await using var wal = await CreateAsync();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await wal.AppendAsync(Record(0, wal.MaxRecordBytes + 1), out _));
        await wal.AppendAsync(Record(0, wal.MaxRecordBytes), out var position);
        Assert.Equal(0, position);
    }

    [Fact]
    public async Task A_node_that_makes_no_files_takes_over_what_a_former_one_left_and_leaves_nothing()
    {
        var former = new RingWalTakeover(Machine.Runtime, Pool, new WalFiles(Machine.Runtime));
        var wal = await StoppedAsync(records: 3);
        await using (var recovery = await former.TakeOverAsync(wal, Token))
        {
            await AssertHoldsAsync(recovery, Enumerable.Range(0, 3).Select(i => Record(i, 1000)));
            await recovery.CompleteAsync(Token);
        }

        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(wal.Location)!));
        Assert.True(await former.DiscardAsync(wal, Token));
        Assert.Contains("is missing", (await Assert.ThrowsAsync<WalUnavailableException>(
            () => former.TakeOverAsync(wal, Token).AsTask())).Message, StringComparison.Ordinal);
    }

    private protected override IWalProvider NewProvider() => NewProvider(Path.Combine(Machine.Folder, "wal"));

    private RingWalProvider NewProvider(string folder) =>
        new(Machine.Runtime, Pool, new WalFolder(Machine.Runtime, folder, new() { Capacity = Capacity, Mode = mode }), new());

    /// <summary>A WAL with a number of blocks of one record each, and nobody who holds it.</summary>
    private async Task<WalDescriptor> StoppedAsync(int records)
    {
        var wal = await CreateAsync();
        for (var i = 0; i < records; i++)
        {
            await wal.AppendAsync(Record(i, 1000), out _);
        }

        await wal.DisposeAsync();
        return wal.Descriptor;
    }

    private IEnumerable<string?> WalFiles() => Directory.EnumerateFiles(Path.Combine(Machine.Folder, "wal")).Select(Path.GetFileName);
}
