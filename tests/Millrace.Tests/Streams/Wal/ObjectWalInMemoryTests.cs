using Millrace.ObjectStorage;
using Millrace.ObjectStorage.Memory;
using Millrace.Streams.Wal.Object;
using Millrace.Tests.ObjectStorage;
using Xunit;

namespace Millrace.Tests.Streams.Wal;

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
