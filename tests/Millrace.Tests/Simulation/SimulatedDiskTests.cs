using System.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Xunit;

namespace Millrace.Tests.Simulation;

/// <summary>That the simulated disk is no kinder than a real one: no seed finds anything on a disk that forgives everything.</summary>
public sealed class SimulatedDiskTests
{
    private const string File = "/a/b/file";

    [Fact]
    public void A_synced_file_in_a_synced_folder_survives_every_power_cut() =>
        Assert.Equal([100L], LengthsAfterPowerCuts(async files =>
        {
            await WriteAsync(files, File);
            await files.SyncDirectoryAsync("/a/b", default);
        }));

    [Fact]
    public void A_name_may_be_lost_until_its_folder_is_synced() =>
        Assert.Equal([-1L, 100], LengthsAfterPowerCuts(files => WriteAsync(files, File)));

    [Fact]
    public void A_name_may_last_when_the_bytes_do_not() =>
        Assert.All(
            LengthsAfterPowerCuts(async files =>
            {
                await using var file = await files.CreateAsync(File, default);
                await file.AppendAsync(new ReadOnlySequence<byte>(new byte[1_000_000]), default);
                await files.SyncDirectoryAsync("/a/b", default);
            }),
            length => Assert.InRange(length, 0, 999_999));

    [Fact]
    public void A_deleted_name_may_come_back_until_its_folder_is_synced() =>
        Assert.Equal([-1L, 100], LengthsAfterPowerCuts(async files =>
        {
            await WriteAsync(files, File);
            await files.SyncDirectoryAsync("/a/b", default);
            await files.DeleteAsync(File, default);
        }));

    [Fact]
    public void A_rename_over_a_file_leaves_one_or_the_other() =>
        Assert.Equal([100L, 200], LengthsAfterPowerCuts(async files =>
        {
            await WriteAsync(files, File);
            await files.SyncDirectoryAsync("/a/b", default);
            await WriteAsync(files, "/a/b/other", 200);
            await files.RenameAsync("/a/b/other", File, default);
        }));

    [Fact]
    public void A_folder_that_was_deleted_and_made_anew_may_be_the_old_one_again_or_none() =>
        Assert.Equal([-1L, 100], LengthsAfterPowerCuts(async files =>
        {
            await WriteAsync(files, File);
            await files.SyncDirectoryAsync("/a/b", default);
            await files.DeleteAsync(File, default);
            await files.SyncDirectoryAsync("/a/b", default);
            await files.DeleteDirectoryAsync("/a/b", default);
            // Its sync of the folder above does for the deletion, too, but the name in the new folder waits for its own.
            await files.CreateDirectoryAsync("/a/b", default);
            await WriteAsync(files, File);
        }));

    [Fact]
    public void A_preallocated_file_is_there_whole_or_not_at_all_however_its_making_ends()
    {
        var lengths = LengthsAfterPowerCuts(
            async files => await files.OpenDeviceAsync(File, 1 << 20, WalDeviceMode.Direct, default),
            cutWithin: TimeSpan.FromMilliseconds(8));
        Assert.Equal([-1L, 1 << 20], lengths);
    }

    [Fact]
    public void A_full_disk_takes_the_first_bytes_of_a_write_and_no_preallocated_file_and_room_comes_back_with_a_deletion() => Run(async (disk, files) =>
    {
        await WriteAsync(files, File, 10_000);
        disk.Space.Limit(100);
        await using var file = await OpenWithLuckAsync();
        var full = await Assert.ThrowsAsync<IOException>(() => file.AppendAsync(new ReadOnlySequence<byte>(new byte[200]), default).AsTask());
        Assert.Equal(LinuxError.NoSpace, full.HResult);
        Assert.Equal(100, (await files.GetStatusAsync("/a/b/second", default))!.Length);
        await files.DeleteAsync(File, default);
        await file.AppendAsync(new ReadOnlySequence<byte>(new byte[200]), default);
        full = await Assert.ThrowsAsync<IOException>(() => files.OpenDeviceAsync("/a/b/device", 1 << 20, WalDeviceMode.Direct, default).AsTask());
        Assert.Equal(LinuxError.NoSpace, full.HResult);
        Assert.Null(await files.GetStatusAsync("/a/b/device", default));

        async Task<IFileAppender> OpenWithLuckAsync()
        {
            while (true)
            {
                try
                {
                    return await files.CreateAsync("/a/b/second", default);
                }
                catch (IOException refused) when (refused.HResult == LinuxError.NoSpace)
                {
                    // Its name needed a block.
                    disk.Space.Limit(100);
                }
            }
        }
    });

    [Fact]
    public void Who_changes_what_it_has_given_to_a_write_ends_the_run()
    {
        var failure = Assert.Throws<SimulationException>(() => Run(async (_, files) =>
        {
            var bytes = new byte[100];
            await using var file = await files.CreateAsync(File, default);
            var append = file.AppendAsync(new ReadOnlySequence<byte>(bytes), default);
            bytes[50] = 1;
            await append;
        }));
        Assert.Contains("changed while it was being written", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bit_that_turns_over_is_read_as_it_is() => Run(async (disk, files) =>
    {
        await WriteAsync(files, File);
        Assert.NotNull(disk.Rot((path, _, _) => path == File));
        var bytes = new byte[100];
        Assert.Equal(100, await files.ReadAsync(File, 0, bytes, default));
        Assert.Equal(1, bytes.Sum(value => int.PopCount(value ^ 0xA5)));
    });

    [Fact]
    public void Transfers_share_what_a_link_carries()
    {
        using var kernel = new SimulationKernel(seed: 1);
        var rate = 1000.0;
        var link = new SimulatedLink(kernel, () => rate);
        List<(string, double)> seen = [];
        kernel.Run(async () =>
        {
            link.Send(1000, () => Note("short"));
            link.Send(3000, () => Note("long"));
            link.Send(9000, () => Note("never")).GiveUp();
            await kernel.Delay(TimeSpan.FromSeconds(2.5));
            rate = 250;
            await kernel.Delay(TimeSpan.FromSeconds(60));
        });

        // Two seconds for two thousand bytes of both; what is left is alone, until the line becomes slower.
        Assert.Equal("short", seen[0].Item1);
        Assert.Equal(2, seen[0].Item2, 0.1);
        Assert.Equal("long", seen[1].Item1);
        Assert.InRange(seen[1].Item2, 2.5, 9);
        Assert.Equal(2, seen.Count);

        void Note(string what) => seen.Add((what, kernel.Now.TotalSeconds));
    }

    private static long[] LengthsAfterPowerCuts(Func<IFileSystem, Task> act, TimeSpan? cutWithin = null)
    {
        SortedSet<long> lengths = [];
        for (var seed = 1UL; seed <= 40; seed++)
        {
            Run(async (disk, _) =>
            {
                var lane = disk.Kernel.NewLane("process");
                var process = lane.Run(() => act(disk.Mount(lane)));
                if (cutWithin is { } longest)
                {
                    await disk.Kernel.Delay(longest * disk.Kernel.Random.NextDouble());
                }
                else
                {
                    await process;
                }

                lane.Kill();
                disk.CutPower();
                lengths.Add((await disk.Mount(disk.Kernel.World).GetStatusAsync(File, default))?.Length ?? -1);
            }, seed);
        }

        return [.. lengths];
    }

    private static void Run(Func<SimulatedDisk, IFileSystem, Task> act, ulong seed = 1)
    {
        using var kernel = new SimulationKernel(seed);
        var disk = new SimulatedDisk(kernel, "machine");
        kernel.Run(async () =>
        {
            var files = disk.Mount(kernel.World);
            await files.CreateDirectoryAsync("/a/b", default);
            await act(disk, files);
        });
    }

    private static async Task WriteAsync(IFileSystem files, string path, int length = 100)
    {
        var bytes = new byte[length];
        bytes.AsSpan().Fill(0xA5);
        await using var file = await files.CreateAsync(path, default);
        await file.AppendAsync(new ReadOnlySequence<byte>(bytes), default);
        await file.SyncAsync(default);
    }
}
