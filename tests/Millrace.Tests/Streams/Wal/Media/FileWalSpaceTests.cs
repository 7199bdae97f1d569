using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;
using Xunit;

namespace Millrace.Tests.Streams.Wal.Media;

/// <summary>What a file WAL takes of a disk, and leaves there when there is not enough of it.</summary>
public sealed class FileWalSpaceTests : IDisposable
{
    private const long Capacity = 8 << 20;

    // A file system in memory refuses at once what is larger than itself, and takes nothing for it.
    private const string InMemory = "/dev/shm";
    private readonly RealNode _machine = new();
    private readonly BufferPool _pool = new(16 << 20);
    private readonly HookedFiles _files = new(new LinuxFileSystem(TaskScheduler.Default));
    private readonly NodeRuntime _runtime;

    public FileWalSpaceTests() => _runtime = new(TimeProvider.System, TaskScheduler.Default, new SystemRandom(), _files, NullLoggerFactory.Instance);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IEnumerable<string?> Names => Directory.GetFiles(_machine.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    [Fact]
    public async Task A_disk_without_room_is_said_to_be_and_keeps_nothing_of_the_attempt()
    {
        Assert.SkipUnless(Directory.Exists(InMemory), $"{InMemory} is not there");
        var folder = Directory.CreateDirectory(Path.Combine(InMemory, $"millrace-test-{_runtime.NewId():N}"));
        try
        {
            const long TooMuch = 1L << 50;
            var provider = new RingWalProvider(_runtime, _pool, new WalFolder(_runtime, folder.FullName, new() { Capacity = TooMuch }), new());
            var wal = provider.Describe(new(1), new(1), []);

            var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await provider.CreateAsync(wal, Token));

            Assert.Contains($"{wal.Location} needs {TooMuch} bytes, and its file system has ", refused.Message, StringComparison.Ordinal);
            Assert.Empty(folder.GetFiles());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task What_a_making_that_was_cut_short_has_left_is_removed_and_nothing_else()
    {
        var (left, made) = ($"{_runtime.NewId():N}.wal.new", $"{_runtime.NewId():N}.wal.new");
        foreach (var name in (string[])[left, made, "spare.wal", "notes.new", $"{_runtime.NewId():N}.wal"])
        {
            await File.WriteAllTextAsync(Path.Combine(_machine.Folder, name), "something", Token);
        }

        var maker = await _files.TryLockAsync(Path.Combine(_machine.Folder, made), Token);
        await Provider().RemoveUnfinishedAsync(Token);
        Assert.Equal(4, Names.Count());
        Assert.DoesNotContain(left, Names);
        Assert.Contains(made, Names);

        await maker!.DisposeAsync();
        await Provider().RemoveUnfinishedAsync(Token);
        Assert.Equal(3, Names.Count());
        await new WalFolder(_runtime, Path.Combine(_machine.Folder, "absent"), new()).RemoveUnfinishedAsync(Token);
    }

    [Fact]
    public async Task A_file_that_was_cut_short_is_named_and_is_no_fault_of_ours()
    {
        var wal = Provider().Describe(new(1), new(1), []);
        await File.WriteAllBytesAsync(wal.Location, new byte[100], Token);
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await Provider().TakeOverAsync(wal, Token));
        Assert.Contains($"{wal.Location} has 0 bytes", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mkdir")]
    [InlineData("rename")]
    [InlineData("open device")]
    [InlineData("lock")]
    [InlineData("write device")]
    [InlineData("flush device")]
    public async Task A_WAL_that_cannot_be_made_says_why_and_its_space_can_be_given_back(string failing)
    {
        await MakeSpareAsync();
        var wal = Provider().Describe(new(1), new(2), []);
        _files.Before = (call, path) => call == failing ? throw HookedFiles.Full(path) : ValueTask.CompletedTask;
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await Provider().CreateAsync(wal, Token));
        Assert.Contains("No space left on device", refused.Message, StringComparison.Ordinal);

        _files.Before = (_, _) => ValueTask.CompletedTask;
        Assert.True(await Provider().DiscardAsync(wal, Token));
        Assert.Equal(["spare.wal"], Names);
    }

    public void Dispose()
    {
        _runtime.Dispose();
        _machine.Dispose();
        _pool.Dispose();
    }

    private RingWalProvider Provider() => new(_runtime, _pool, new WalFolder(_runtime, _machine.Folder, new() { Capacity = Capacity }), new());

    private async Task MakeSpareAsync()
    {
        var provider = Provider();
        var wal = await provider.CreateAsync(provider.Describe(new(1), new(1), []), Token);
        await wal.RetireAsync(Token);
    }
}
