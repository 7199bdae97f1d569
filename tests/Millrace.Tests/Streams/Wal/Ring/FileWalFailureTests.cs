using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;
using Xunit;

namespace Millrace.Tests.Streams.Wal.Ring;

public sealed class FileWalFailureTests : IDisposable
{
    private const int InputOutput = 5;
    private readonly RealNode _machine = new();
    private readonly BufferPool _pool = new(16 << 20);
    private readonly FailingFiles _files;
    private readonly NodeRuntime _runtime;

    public FileWalFailureTests()
    {
        _files = new(new LinuxFileSystem(TaskScheduler.Default));
        _runtime = new(TimeProvider.System, TaskScheduler.Default, new SystemRandom(), _files, NullLoggerFactory.Instance);
    }

    [Fact]
    public async Task After_a_failed_flush_nothing_is_acknowledged_any_more_and_the_disk_is_not_asked_again()
    {
        var wal = await CreateAsync();
        await wal.AppendAsync(Record(0), out _);
        var flushes = 0;
        _files.BeforeFlush = () => Interlocked.Increment(ref flushes) == 1 ? throw new IOException("flush failed", InputOutput) : Task.CompletedTask;
        var failures = new List<StreamException>();
        var underWay = Enumerable.Range(1, 20).Select(i => wal.AppendAsync(Record(i), out _).AsTask()).ToList();
        foreach (var append in underWay)
        {
            failures.Add(await Assert.ThrowsAsync<StreamException>(() => append));
        }

        Assert.All(failures, failure => Assert.Equal(StreamError.WalFailed, failure.Error));
        Assert.Equal(StreamError.WalFailed, (await wal.Lost).Error);
        Assert.Equal(StreamError.WalFailed, (await Assert.ThrowsAsync<StreamException>(async () => await wal.AppendAsync(Record(99), out _))).Error);
        Assert.Equal(1, flushes);
        await wal.DisposeAsync();

        await using var recovery = await Provider().TakeOverAsync(wal.Descriptor, default);
        Assert.Equal(0, (await FirstAsync(recovery)).BaseOffset);
    }

    [Fact]
    public async Task A_failed_write_ends_the_wal()
    {
        await using var wal = await CreateAsync();
        _files.BeforeWrite = () => throw new IOException("no space", 28);
        var failure = await Assert.ThrowsAsync<StreamException>(async () => await wal.AppendAsync(Record(0), out _));
        Assert.Equal(StreamError.WalFailed, failure.Error);
        Assert.Contains("no space", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_that_is_not_permitted_ends_the_wal_and_keeps_nobody_waiting()
    {
        await using var wal = await CreateAsync();
        var allAppended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _files.BeforeWrite = async () =>
        {
            await allAppended.Task;
            throw new UnauthorizedAccessException("not permitted");
        };
        var underWay = Enumerable.Range(0, 5).Select(i => wal.AppendAsync(Record(i), out _).AsTask()).ToList();
        allAppended.SetResult();
        foreach (var append in underWay)
        {
            var failure = await Assert.ThrowsAsync<StreamException>(() => append.WaitAsync(TimeSpan.FromSeconds(30)));
            Assert.Equal(StreamError.WalFailed, failure.Error);
        }

        Assert.Equal(StreamError.WalFailed, (await wal.Lost).Error);
    }

    [Fact]
    public async Task A_failed_trim_ends_the_wal_and_frees_nothing()
    {
        await using var wal = await CreateAsync();
        await wal.AppendAsync(Record(0), out var position);
        var fullness = wal.Fullness;
        _files.BeforeFlush = () => throw new IOException("flush failed", InputOutput);
        await Assert.ThrowsAsync<StreamException>(async () => await wal.TrimAsync(position + 1, default));
        Assert.Equal(fullness, wal.Fullness);
        Assert.True(wal.Lost.IsCompleted);
    }

    [Fact]
    public async Task Nothing_is_acknowledged_before_its_flush_has_returned_and_what_comes_meanwhile_shares_the_next_ones()
    {
        await using var wal = await CreateAsync();
        var flush = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var flushes = 0;
        _files.BeforeFlush = () =>
        {
            Interlocked.Increment(ref flushes);
            begun.TrySetResult();
            return flush.Task;
        };
        var first = wal.AppendAsync(Record(0), out _).AsTask();
        await begun.Task;
        var rest = Enumerable.Range(1, 100).Select(i => wal.AppendAsync(Record(i), out _).AsTask()).ToArray();
        Assert.False(first.IsCompleted);
        flush.SetResult();
        await Task.WhenAll(rest);
        await first;

        // The one that was held up, at most one that was written behind it, and one for all that gathered.
        Assert.InRange(flushes, 2, 4);
    }

    [Fact]
    public async Task A_seal_that_cannot_be_made_durable_shows_nothing()
    {
        var wal = await CreateAsync();
        await wal.AppendAsync(Record(0), out _);
        await wal.DisposeAsync();

        // The first flush is for what the writer left, the second for the seal.
        var flushes = 0;
        _files.BeforeFlush = () => Interlocked.Increment(ref flushes) == 2 ? throw new IOException("flush failed", InputOutput) : Task.CompletedTask;
        await Assert.ThrowsAsync<WalUnavailableException>(async () => await Provider().TakeOverAsync(wal.Descriptor, default));

        await using var recovery = await Provider().TakeOverAsync(wal.Descriptor, default);
        Assert.Equal(0, (await FirstAsync(recovery)).BaseOffset);
    }

    public void Dispose()
    {
        _runtime.Dispose();
        _machine.Dispose();
        _pool.Dispose();
    }

    private RingWalProvider Provider() => new(_runtime, _pool, new WalFolder(_runtime, _machine.Folder, new() { Capacity = 8 << 20 }), new());

    private async Task<IWriteAheadLog> CreateAsync()
    {
        var provider = Provider();
        return await provider.CreateAsync(provider.Describe(new(1), new(1), []), default);
    }

    private static StreamRecord Record(long offset) => new(new(1), new(1), offset, 1, 0, new byte[100]);

    private static async Task<StreamRecord> FirstAsync(ISealedWal recovery)
    {
        await foreach (var record in recovery.ReadAsync(default))
        {
            return record;
        }

        throw new InvalidDataException("Nothing was recovered");
    }
}
