using System.Buffers;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.Memory;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime.Ids;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;
using Millrace.Tests.ObjectStorage;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Object;

public sealed class ObjectWalInMemoryTests : ObjectWalTests
{
    private const int BatchBytes = 1 << 20;

    [Fact]
    public async Task Objects_become_smaller_over_a_slow_link_and_larger_again_when_it_is_fast()
    {
        var milliseconds = 450;
        await using var storage = new AdjustedObjectStorage
        {
            CreateUntil = async (_, token) =>
            {
                await Task.Delay(Volatile.Read(ref milliseconds), token);
                return true;
            },
        };
        var provider = new ObjectWalProvider(
            Machine.Runtime, Pool, storage, new() { BatchBytes = BatchBytes, LongestWrite = TimeSpan.FromMilliseconds(400) });
        await using var wal = (ObjectWal)await CreateAsync(provider);
        for (var i = 0; i < 3; i++)
        {
            await wal.AppendAsync(Record(i, 100), out _);
        }

        Assert.InRange(wal.BatchBytes, 1, BatchBytes / 8);
        Volatile.Write(ref milliseconds, 0);
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
        {
            await wal.AppendAsync(Record(9, 100), out _);
            return wal.BatchBytes == BatchBytes;
        }));
    }

    [Fact]
    public async Task An_entry_of_another_version_is_refused_by_its_number()
    {
        await using var storage = new MemoryObjectStorage();
        var provider = new ObjectWalProvider(Machine.Runtime, Pool, storage, new());
        var descriptor = provider.Describe(new NodeId(1), new NodeEpoch(1), []);
        var log = new ObjectLog(Machine.Runtime, storage, descriptor.Location, new() { InFlight = ObjectWalFormat.InFlight });
        await using (var owner = log.BeginTerm(descriptor.Id))
        {
            await owner.WaitForRoomAsync(Token);
            await owner.AppendAsync(new ReadOnlySequence<byte>([2, 0, .. new byte[30]]));
        }

        await using var recovery = await provider.TakeOverAsync(descriptor, Token);
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await recovery.ReadAsync(Token).GetAsyncEnumerator(Token).MoveNextAsync());
        Assert.Contains(descriptor.Location, refused.Message, StringComparison.Ordinal);
        Assert.Contains("has format 2, and this program knows 1: another version of Millrace wrote it", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_recovery_reads_ahead_in_bounded_memory()
    {
        const int Length = 3 << 20;
        long held = 0, most = 0;
        await using var storage = new AdjustedObjectStorage
        {
            Got = body =>
            {
                held += body?.Length ?? 0;
                most = Math.Max(most, held);
                return body;
            },
        };
        var provider = new ObjectWalProvider(Machine.Runtime, Pool, storage, new());
        var wal = await CreateAsync(provider);
        for (var i = 0; i < 40; i++)
        {
            // Small ones first: what they promise of the rest does not hold.
            await wal.AppendAsync(Record(i, i < 20 ? 100 : Length), out _);
        }

        await wal.DisposeAsync();
        await using var recovery = await provider.TakeOverAsync(wal.Descriptor, Token);
        var count = 0;
        await foreach (var record in recovery.ReadAsync(Token))
        {
            Assert.Equal(count++ * 10, record.BaseOffset);
            held -= record.Payload.Length;
        }

        Assert.Equal(40, count);
        Assert.InRange(most, Length, (16 << 20) + 2 * Length);
    }

    private protected override ValueTask<IObjectStorage> OpenAsync() => ValueTask.FromResult<IObjectStorage>(new MemoryObjectStorage());
}
