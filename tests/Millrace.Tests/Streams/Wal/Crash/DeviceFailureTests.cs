using Millrace.Runtime.Files.Linux;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Ring;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>A device that refuses what it is asked, or does but a part of it.</summary>
public sealed class DeviceFailureTests
{
    private const string Flush = "flush device";
    private const string Write = "write device";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task After_a_failed_flush_nothing_is_acknowledged_any_more_and_the_disk_is_not_asked_again(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.CreateAsync();
        await wal.AppendAsync(Record(0, 100), out _);
        var flushes = 0;
        bed.Files.Before = (call, path) => call == Flush && Interlocked.Increment(ref flushes) == 1 ? throw Failed(call, path) : default;
        var failures = new List<StreamException>();
        var underWay = Enumerable.Range(1, 20).Select(i => wal.AppendAsync(Record(i, 100), out _).AsTask()).ToList();
        foreach (var append in underWay)
        {
            failures.Add(await Assert.ThrowsAsync<StreamException>(() => append));
        }

        Assert.All(failures, failure => Assert.Equal(StreamError.WalFailed, failure.Error));
        Assert.Equal(StreamError.WalFailed, (await wal.Lost).Error);
        Assert.Equal(StreamError.WalFailed, (await Assert.ThrowsAsync<StreamException>(async () => await wal.AppendAsync(Record(99, 100), out _))).Error);
        Assert.Equal(1, flushes);
        await wal.DisposeAsync();

        AssertSame(Records(1, 100), (await bed.RecoverAsync(wal.Descriptor)).Take(1));
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_failed_write_ends_the_wal(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        await using var wal = await bed.CreateAsync();
        bed.Files.Before = (call, path) => call == Write ? throw HookedFiles.Full(path) : default;
        var failure = await Assert.ThrowsAsync<StreamException>(async () => await wal.AppendAsync(Record(0, 1000), out _));
        Assert.Equal(StreamError.WalFailed, failure.Error);
        Assert.Contains("No space left on device", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_write_that_is_not_permitted_ends_the_wal_and_keeps_nobody_waiting(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        await using var wal = await bed.CreateAsync();
        var allAppended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bed.Files.Before = async (call, _) =>
        {
            if (call == Write)
            {
                await allAppended.Task;
                throw new UnauthorizedAccessException("not permitted");
            }
        };
        var underWay = Enumerable.Range(0, 5).Select(i => wal.AppendAsync(Record(i, 100), out _).AsTask()).ToList();
        allAppended.SetResult();
        foreach (var append in underWay)
        {
            var failure = await Assert.ThrowsAsync<StreamException>(() => append.WaitAsync(TimeSpan.FromSeconds(30)));
            Assert.Equal(StreamError.WalFailed, failure.Error);
        }

        Assert.Equal(StreamError.WalFailed, (await wal.Lost).Error);
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_failed_trim_ends_the_wal_and_frees_nothing(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        await using var wal = await bed.CreateAsync();
        await wal.AppendAsync(Record(0, 100), out var position);
        var fullness = wal.Fullness;
        bed.Files.Before = (call, path) => call == Flush ? throw Failed(call, path) : default;
        await Assert.ThrowsAsync<StreamException>(async () => await wal.TrimAsync(position + 1, Token));
        Assert.Equal(fullness, wal.Fullness);
        Assert.True(wal.Lost.IsCompleted);
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task Nothing_is_acknowledged_before_its_flush_has_returned_and_what_comes_meanwhile_shares_the_next_ones(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        await using var wal = await bed.CreateAsync();
        var flush = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var flushes = 0;
        bed.Files.Before = async (call, _) =>
        {
            if (call == Flush)
            {
                Interlocked.Increment(ref flushes);
                begun.TrySetResult();
                await flush.Task;
            }
        };
        var first = wal.AppendAsync(Record(0, 100), out _).AsTask();
        await begun.Task;
        var rest = Enumerable.Range(1, 100).Select(i => wal.AppendAsync(Record(i, 100), out _).AsTask()).ToArray();
        Assert.False(first.IsCompleted);
        flush.SetResult();
        await Task.WhenAll(rest);
        await first;

        // The one that was held up, at most one that was written behind it, and one for all that gathered.
        Assert.InRange(flushes, 2, 4);
    }

    /// <summary>Where several read it at once they need not wait for the seal's flush: what it ends behind was flushed before it was looked for.</summary>
    [Theory]
    [MemberData(nameof(RingMedia.Files), MemberType = typeof(RingMedia))]
    public async Task A_seal_that_cannot_be_made_durable_shows_nothing(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.StoppedAsync(1);

        // The first flush is for what the writer left, the second for the seal.
        var flushes = 0;
        bed.Files.Before = (call, path) => call == Flush && Interlocked.Increment(ref flushes) == 2 ? throw Failed(call, path) : default;
        await Assert.ThrowsAsync<WalUnavailableException>(async () => await bed.TakeOverAsync(wal));

        AssertSame(Records(1), await bed.RecoverAsync(wal));
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_write_of_which_a_part_reached_the_device_is_not_acknowledged_and_what_was_comes_back(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.CreateAsync();
        foreach (var record in Records(3))
        {
            await wal.AppendAsync(record, out _);
        }

        bed.Files.DeviceTakes = RingFormat.Sector;
        var failure = await Assert.ThrowsAsync<StreamException>(async () => await wal.AppendAsync(Record(3, 2 * RingFormat.Sector), out _));
        Assert.Equal(StreamError.WalFailed, failure.Error);
        await wal.DisposeAsync();
        bed.Files.DeviceTakes = null;

        Assert.Equal(3, bed.Block(wal.Descriptor, 3).Sequence);
        AssertSame(Records(3), await bed.RecoverAsync(wal.Descriptor));
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task What_cannot_be_recovered_now_says_why_and_can_be_later(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        foreach (var failing in (string[])["status", "open device", "lock", "read device", Write, Flush])
        {
            var wal = await bed.StoppedAsync(3);
            var provider = await bed.ProviderAsync();
            bed.Files.Before = (call, path) => call == failing ? throw Failed(call, path) : default;
            var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await provider.TakeOverAsync(wal, Token));
            Assert.Contains("Input/output error", refused.Message, StringComparison.Ordinal);
            Assert.True(refused.MayPass);

            bed.Files.Before = HookedFiles.Pass;
            AssertSame(Records(3), await bed.RecoverAsync(wal));
        }
    }

    [Theory]
    [MemberData(nameof(RingMedia.All), MemberType = typeof(RingMedia))]
    public async Task A_read_that_fails_in_the_middle_ends_the_recovery_and_the_next_one_reads_it_all(RingMedium medium)
    {
        await using var bed = RingBed.On(medium);
        var wal = await bed.CreateAsync();
        var records = Records(3, 1 << 20).ToList();
        foreach (var record in records)
        {
            await wal.AppendAsync(record, out _);
        }

        await wal.DisposeAsync();
        await using (var recovery = await bed.TakeOverAsync(wal.Descriptor))
        {
            await using var read = recovery.ReadAsync(Token).GetAsyncEnumerator(Token);
            Assert.True(await read.MoveNextAsync());
            bed.Files.Before = (call, path) => call == "read device" ? throw Failed(call, path) : default;
            var failure = await Assert.ThrowsAsync<WalUnavailableException>(async () =>
            {
                while (await read.MoveNextAsync())
                {
                }
            });
            Assert.Contains("cannot be read: ", failure.Message, StringComparison.Ordinal);
            Assert.True(failure.MayPass);
        }

        bed.Files.Before = HookedFiles.Pass;
        AssertSame(records, await bed.RecoverAsync(wal.Descriptor));
    }

    private static IOException Failed(string call, string path) => new($"{call} {path}: Input/output error (errno 5)", LinuxError.InputOutput);
}
