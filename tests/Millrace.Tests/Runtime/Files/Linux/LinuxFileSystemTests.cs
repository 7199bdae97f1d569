using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Xunit;

namespace Millrace.Tests.Runtime.Files.Linux;

public sealed partial class LinuxFileSystemTests : IDisposable
{
    private const long Capacity = 1 << 20;
    private readonly RealNode _node = new();

    private IFileSystem Files => _node.Runtime.Files;

    [Fact]
    public async Task A_new_file_reads_back_and_cannot_be_created_twice()
    {
        await using (var file = await Files.CreateAsync(PathOf("new")))
        {
            await file.AppendAsync(new ReadOnlySequence<byte>([1, 2, 3]));
            await file.AppendAsync(new ReadOnlySequence<byte>([4]));
            await file.SyncAsync();
        }

        var bytes = new byte[10];
        Assert.Equal(4, await Files.ReadAsync(PathOf("new"), 0, bytes));
        Assert.Equal([1, 2, 3, 4], bytes[..4]);
        Assert.Equal(2, await Files.ReadAsync(PathOf("new"), 2, bytes));
        Assert.Equal(17, (await Assert.ThrowsAsync<IOException>(async () => await Files.CreateAsync(PathOf("new")))).HResult);
    }

    [Fact]
    public async Task What_is_absent_is_told_by_its_answer()
    {
        Assert.Null(await Files.GetStatusAsync(PathOf("no")));
        Assert.Equal(-1, await Files.ReadAsync(PathOf("no"), 0, new byte[1]));
        Assert.False(await Files.DeleteAsync(PathOf("no")));
        Assert.False(await Files.DeleteDirectoryAsync(PathOf("no")));
        Assert.Empty(await Files.ListAsync(PathOf("no")));
        Assert.Equal(2, (await Assert.ThrowsAsync<IOException>(async () => await Files.SyncDirectoryAsync(PathOf("no")))).HResult);
    }

    [Fact]
    public async Task A_link_counts_is_refused_where_the_name_is_taken_and_shares_the_identity()
    {
        await TouchAsync("a");
        Assert.True(await Files.TryLinkAsync(PathOf("a"), PathOf("b")));
        Assert.False(await Files.TryLinkAsync(PathOf("a"), PathOf("b")));
        var status = (await Files.GetStatusAsync(PathOf("a")))!;
        Assert.Equal(2, status.LinkCount);
        Assert.Equal(status, await Files.GetStatusAsync(PathOf("b")));
    }

    [Fact]
    public async Task The_identity_survives_a_rename_and_a_copy_or_a_successor_has_another()
    {
        await TouchAsync("a");
        var identity = (await Files.GetStatusAsync(PathOf("a")))!.Identity;
        await Files.RenameAsync(PathOf("a"), PathOf("b"));
        Assert.Equal(identity, (await Files.GetStatusAsync(PathOf("b")))!.Identity);
        File.Copy(PathOf("b"), PathOf("copy"));
        Assert.NotEqual(identity, (await Files.GetStatusAsync(PathOf("copy")))!.Identity);
        await Files.DeleteAsync(PathOf("b"));
        await TouchAsync("b");
        Assert.NotEqual(identity, (await Files.GetStatusAsync(PathOf("b")))!.Identity);
    }

    [Fact]
    public async Task Folders_are_made_with_those_above_listed_in_order_and_deleted_only_when_empty()
    {
        await Files.CreateDirectoryAsync(PathOf("x/y/z"));
        await Files.CreateDirectoryAsync(PathOf("x/y/z"));
        await TouchAsync("x/y/b");
        await TouchAsync("x/y/B");
        Assert.Equal([new("B", false), new("b", false), new("z", true)], await Files.ListAsync(PathOf("x/y")));
        Assert.False(await Files.DeleteDirectoryAsync(PathOf("x/y")));
        Assert.True(await Files.DeleteDirectoryAsync(PathOf("x/y/z")));
    }

    [Fact]
    public async Task A_lock_has_one_holder_until_it_lets_go()
    {
        var held = await Files.TryLockAsync(PathOf("lock"));
        Assert.NotNull(held);
        Assert.Null(await Files.TryLockAsync(PathOf("lock")));
        await held.DisposeAsync();
        var again = await Files.TryLockAsync(PathOf("lock"));
        Assert.NotNull(again);
        await again.DisposeAsync();
    }

    // What a fork in another thread leaves until its exec.
    [Fact]
    public async Task A_lock_let_go_is_free_although_another_descriptor_of_its_open_file_is_left()
    {
        var held = await Files.TryLockAsync(PathOf("lock"));
        Assert.NotNull(held);
        var descriptor = Directory.GetFiles("/proc/self/fd").Single(link => new FileInfo(link).LinkTarget == PathOf("lock"));
        using var left = new SafeFileHandle(Duplicate(int.Parse(Path.GetFileName(descriptor), CultureInfo.InvariantCulture)), ownsHandle: true);
        Assert.False(left.IsInvalid);
        await held.DisposeAsync();
        await held.DisposeAsync();

        var again = await Files.TryLockAsync(PathOf("lock"));
        Assert.NotNull(again);
        await again.DisposeAsync();
    }

    [Theory]
    [InlineData(WalDeviceMode.Buffered)]
    [InlineData(WalDeviceMode.Direct)]
    public async Task A_device_has_its_size_at_once_and_keeps_what_is_written_anywhere(WalDeviceMode mode)
    {
        using var pool = new BufferPool(0);
        var sector = pool.Rent(4096);
        var read = pool.Rent(8192);
        sector.Memory.Span.Fill(7);
        await using (var device = await Files.OpenDeviceAsync(PathOf("device"), Capacity, mode))
        {
            Assert.Equal(Capacity, device.Capacity);
            await device.WriteAsync(Capacity - 4096, [sector.Memory]);
            await device.WriteAsync(4096, [sector.Memory, sector.Memory]);
            await device.FlushAsync();
        }

        await using (var again = await Files.OpenDeviceAsync(PathOf("device"), 4096, mode))
        {
            Assert.Equal(Capacity, again.Capacity);
            await again.ReadAsync(4096, read.Memory);
            Assert.Equal(Enumerable.Repeat((byte)7, 8192), read.Memory.ToArray());
            await again.ReadAsync(Capacity - 8192, read.Memory);
            Assert.Equal(Enumerable.Repeat((byte)0, 4096).Concat(Enumerable.Repeat((byte)7, 4096)), read.Memory.ToArray());
        }

        sector.Release();
        read.Release();
    }

    [Fact]
    public async Task A_failed_call_says_what_it_was_about()
    {
        await TouchAsync("file");
        var failure = await Assert.ThrowsAsync<IOException>(async () => await Files.CreateAsync(PathOf("file/below")));
        Assert.Contains(PathOf("file/below"), failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1 << 30)]
    [InlineData(1, 777)]
    [InlineData(1, 16 << 10)]
    [InlineData(4097, 5001)]
    [InlineData(256 << 10, 40_001)]
    [InlineData(int.MaxValue, 40_001)]
    public async Task A_file_holds_exactly_what_was_appended_however_it_went_to_the_disk(int directFrom, int segmentBytes)
    {
        var files = new LinuxFileSystem(TaskScheduler.Default) { DirectFrom = directFrom };
        foreach (var length in (int[])[0, 1, 4095, 4096, 4097, 65_537, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (2 << 20) + 4096, (3 << 20) + 12_345])
        {
            var path = PathOf($"{length}");
            var bytes = Bytes(length);
            await using (var file = await files.CreateAsync(path))
            {
                await file.AppendAsync(SequenceOf(bytes, segmentBytes));
                await file.SyncAsync();
            }

            Assert.Equal(length, (await files.GetStatusAsync(path))!.Length);
            var read = new byte[length + 1];
            Assert.Equal(length, await files.ReadAsync(path, 0, read));
            Assert.True(bytes.AsSpan().SequenceEqual(read.AsSpan(0, length)), $"{length} bytes in segments of {segmentBytes}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8192)]
    public async Task Appends_of_any_sizes_stand_one_behind_the_other(int directFrom)
    {
        var files = new LinuxFileSystem(TaskScheduler.Default) { DirectFrom = directFrom };
        var bytes = Bytes(3 << 20);
        var position = 0;
        await using (var file = await files.CreateAsync(PathOf("file")))
        {
            foreach (var length in (int[])[3, 4093, 4096, 100_000, 1, 1 << 20, 5000, 0, 4095, 70_000])
            {
                await file.AppendAsync(SequenceOf(bytes[position..(position + length)], 1021));
                position += length;
                await file.SyncAsync();
            }
        }

        var read = new byte[bytes.Length];
        Assert.Equal(position, await files.ReadAsync(PathOf("file"), 0, read));
        Assert.True(bytes.AsSpan(0, position).SequenceEqual(read.AsSpan(0, position)));
    }

    [Fact]
    public async Task A_direct_write_that_the_disk_refuses_can_be_told_from_one_that_failed()
    {
        await TouchAsync("file");
        using var file = LinuxFile.Open(PathOf("file"), LinuxFile.ReadWrite);
        Assert.SkipUnless(LinuxFile.TrySetDirect(file, true, PathOf("file")), "This file system has no direct writes");
        try
        {
            RandomAccess.Write(file, [1, 2, 3], 0);
        }
        catch (IOException refused)
        {
            Assert.Equal(LinuxError.Invalid, refused.HResult);
            Assert.True(LinuxFile.TrySetDirect(file, false, PathOf("file")));
            RandomAccess.Write(file, [1, 2, 3], 0);
        }

        Assert.Equal(3, RandomAccess.GetLength(file));
    }

    public void Dispose() => _node.Dispose();

    private string PathOf(string name) => Path.Combine(_node.Folder, name);

    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static ReadOnlySequence<byte> SequenceOf(byte[] bytes, int segmentBytes)
    {
        var joined = new JoinedMemory();
        for (var position = 0; position < bytes.Length; position += segmentBytes)
        {
            joined.Add(bytes.AsMemory(position, Math.Min(segmentBytes, bytes.Length - position)));
        }

        return joined.ToSequence();
    }

    private async Task TouchAsync(string name) => await (await Files.CreateAsync(PathOf(name))).DisposeAsync();

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    private static partial int Duplicate(int descriptor);
}
