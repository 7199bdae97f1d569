using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Ids;
using Millrace.Server;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Tests.Controller.Failover;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>Starts after crashes on a disk that has room for one WAL and no more.</summary>
public sealed class SmallDiskTests : IAsyncDisposable
{
    private const long Capacity = 8 << 20;
    private readonly TestStorage _storage = new();
    private readonly TemporaryDirectory _folder = new();
    private readonly HookedFiles _files = new(new LinuxFileSystem(TaskScheduler.Default));
    private StreamId _stream;
    private int _epoch;
    private int _records;

    public SmallDiskTests() => _files.Before = TakeRoom;

    private IEnumerable<string?> Names => Directory.GetFiles(_folder.Path).Select(Path.GetFileName);

    [Fact]
    public async Task A_start_after_a_crash_recovers_the_former_WAL_and_uses_its_space()
    {
        for (var life = 0; life < 4; life++)
        {
            await LiveAndCrashAsync();
            Assert.EndsWith(".wal", Assert.Single(Names), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_a_start_left_that_was_cut_short_is_removed_before_anything_needs_the_room()
    {
        await File.WriteAllBytesAsync(_folder.Sub($"{new Guid(1, 2, 3, new byte[8]):N}.wal.new"), new byte[Capacity], TestContext.Current.CancellationToken);
        await LiveAndCrashAsync();
        Assert.EndsWith(".wal", Assert.Single(Names), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_that_dies_at_any_step_on_the_disk_loses_nothing_and_leaves_no_room_taken()
    {
        await LiveAndCrashAsync();
        for (var step = 0; ; step++)
        {
            var left = step;
            _files.Before = (call, path) =>
                Interlocked.Decrement(ref left) < 0 ? throw new IOException($"{call} {path}: the process died", LinuxError.InputOutput) : TakeRoom(call, path);
            var started = await TryStartAndDieAsync();
            _files.Before = TakeRoom;
            await LiveAndCrashAsync();
            Assert.EndsWith(".wal", Assert.Single(Names), StringComparison.Ordinal);
            if (started)
            {
                Assert.True(step > 10, $"a start took {step} steps");
                return;
            }
        }
    }

    [Fact]
    public async Task A_start_that_dies_at_any_write_to_the_store_loses_nothing_and_leaves_no_room_taken()
    {
        await LiveAndCrashAsync();
        for (var step = 0; ; step++)
        {
            var left = step;
            // No answer that a store gives, so that nobody waits for a better one.
            _storage.BeforePut = (key, _) => Interlocked.Decrement(ref left) < 0 ? throw new ArgumentException($"{key}: the process died") : default;
            var started = await TryStartAndDieAsync();
            _storage.BeforePut = (_, _) => default;
            await LiveAndCrashAsync();
            Assert.EndsWith(".wal", Assert.Single(Names), StringComparison.Ordinal);
            if (started)
            {
                Assert.True(step > 10, $"a start took {step} writes");
                return;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _storage.DisposeAsync();
        _folder.Dispose();
    }

    private Task<NodeUnderTest> StartAsync() =>
        NodeUnderTest.StartAsync(_storage, $"file://{_folder.Path}?capacity={Capacity}", _files, options => options);

    private async Task<bool> TryStartAndDieAsync()
    {
        try
        {
            await using var node = await StartAsync();
            return true;
        }
        catch (Exception died) when (died is NodeStartException or WalUnavailableException or StreamException or ObjectLogException or ArgumentException)
        {
            return false;
        }
    }

    private async Task LiveAndCrashAsync()
    {
        await using var node = await StartAsync();
        var owner = _records == 0 ? await FormerWalsTests.OpenNewAsync(node) : await FormerWalsTests.OpenAsync(node, _stream, _epoch);
        Assert.Equal(_records, owner.Stream.NextOffset);
        await FormerWalsTests.AppendAsync(node, owner);
        (_stream, _epoch, _records) = (owner.Stream.Id, _epoch + 1, _records + 1);
        Assert.True(await Eventually.BecomesTrueAsync(() => node.Node.Metadata.Image.Wals.Count == 1));
    }

    private ValueTask TakeRoom(string call, string path) =>
        call == "open device" && !File.Exists(path) && Directory.GetFiles(_folder.Path).Sum(file => new FileInfo(file).Length) > 0
            ? throw HookedFiles.Full(path)
            : ValueTask.CompletedTask;
}
