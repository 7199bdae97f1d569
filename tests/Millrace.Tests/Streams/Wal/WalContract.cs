using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal;

/// <summary>What every kind of WAL promises; each kind runs it.</summary>
public abstract class WalContract : IAsyncLifetime
{
    private protected static readonly NodeId Node = new(7);
    private protected static readonly NodeEpoch Epoch = new(3);

    private protected RealNode Machine { get; } = new();

    private protected BufferPool Pool { get; } = new(64 << 20);

    /// <summary>Whether what was trimmed is gone at once; else some of it may still be recovered, which does no harm.</summary>
    private protected virtual bool TrimsExactly => true;

    /// <summary>Whether what is discarded is gone at once; else its room is taken by the next one when that needs it.</summary>
    private protected virtual bool GivesRoomBackAtOnce => true;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public virtual ValueTask DisposeAsync()
    {
        Machine.Dispose();
        Pool.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_was_acknowledged_is_recovered_by_another_process_in_order_and_unchanged()
    {
        var wal = await CreateAsync();
        var sizes = (int[])[0, 1, 100, 4096, 5000, 100_000, 1_000_000, 7];
        await AppendAllAsync(wal, [.. sizes.Select((size, i) => Record(i, size))]);
        await wal.DisposeAsync();

        await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
        await AssertHoldsAsync(recovery, sizes.Select((size, i) => Record(i, size)));
    }

    [Fact]
    public async Task Appends_from_many_threads_complete_and_the_log_has_the_order_of_their_positions()
    {
        var wal = await CreateAsync();
        var byPosition = new SortedList<long, StreamRecord>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                var record = Record(i, 50 * writer, stream: writer);
                var durable = wal.AppendAsync(record, out var position);
                lock (byPosition)
                {
                    byPosition.Add(position, record);
                }

                await durable;
            }
        })));
        await wal.DisposeAsync();

        await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
        await AssertHoldsAsync(recovery, byPosition.Values);
    }

    [Fact]
    public async Task Appends_complete_in_order()
    {
        await using var wal = await CreateAsync();
        var completed = 0;
        var all = new List<Task>();
        for (var i = 0; i < 500; i++)
        {
            var number = i;
            var durable = wal.AppendAsync(Record(i, 10), out _);
            all.Add(Check(durable.AsTask(), number));
        }

        await Task.WhenAll(all);
        Assert.Equal(500, completed);

        async Task Check(Task durable, int number)
        {
            await durable;

            // Everything that was appended before is durable too, though its continuation may not have run.
            Interlocked.Increment(ref completed);
            Assert.All(all.Take(number), before => Assert.False(before.IsFaulted));
        }
    }

    [Fact]
    public async Task Recovery_can_be_broken_off_and_repeated_with_the_same_result()
    {
        var wal = await CreateAsync();
        var records = Enumerable.Range(0, 50).Select(i => Record(i, 3000)).ToArray();
        await AppendAllAsync(wal, records);
        await wal.DisposeAsync();

        await using (var broken = await NewProvider().TakeOverAsync(wal.Descriptor, Token))
        {
            await using var enumerator = broken.ReadAsync(Token).GetAsyncEnumerator(Token);
            Assert.True(await enumerator.MoveNextAsync());
        }

        for (var i = 0; i < 2; i++)
        {
            await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
            await AssertHoldsAsync(recovery, records);
        }
    }

    [Fact]
    public async Task Trimmed_records_are_gone_and_all_others_stay()
    {
        var wal = await CreateAsync();
        var positions = new List<long>();
        for (var i = 0; i < 20; i++)
        {
            await wal.AppendAsync(Record(i, 100), out var position);
            positions.Add(position);
        }

        await wal.TrimAsync(positions[12], Token);
        await wal.DisposeAsync();

        await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
        await AssertEndsWithAsync(recovery, Enumerable.Range(12, 8).Select(i => Record(i, 100)));
    }

    [Fact]
    public async Task A_wal_trimmed_to_its_end_is_empty()
    {
        var wal = await CreateAsync();
        await wal.AppendAsync(Record(0, 100), out var position);
        await wal.TrimAsync(position + 1, Token);
        Assert.True(wal.Fullness < 0.01);
        await wal.DisposeAsync();

        await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
        await AssertEndsWithAsync(recovery, []);
    }

    [Fact]
    public async Task Much_more_than_the_capacity_passes_through_with_trimming()
    {
        var wal = await CreateAsync();
        var kept = new Queue<(long Position, StreamRecord Record)>();
        for (var i = 0; i < 300; i++)
        {
            var record = Record(i, 37 + i * 997 % 200_000);
            await wal.AppendAsync(record, out var position);
            kept.Enqueue((position, record));
            if (kept.Count > 10)
            {
                kept.Dequeue();
                await wal.TrimAsync(kept.Peek().Position, Token);
            }
        }

        await wal.DisposeAsync();
        await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
        await AssertEndsWithAsync(recovery, kept.Select(entry => entry.Record));
    }

    [Fact]
    public async Task An_append_after_the_end_is_refused()
    {
        var wal = await CreateAsync();
        await wal.DisposeAsync();
        var refused = await Assert.ThrowsAsync<StreamException>(async () => await wal.AppendAsync(Record(0, 10), out _));
        Assert.Equal(StreamError.Closed, refused.Error);
    }

    [Fact]
    public async Task A_wal_that_nobody_wrote_to_recovers_empty()
    {
        var wal = await CreateAsync();
        await wal.DisposeAsync();
        await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
        await AssertHoldsAsync(recovery, []);
        await recovery.CompleteAsync(Token);

        // Whoever completes repeats it until it has succeeded.
        await recovery.CompleteAsync(Token);
    }

    [Fact]
    public async Task What_a_retired_wal_left_behind_is_discarded_by_another_process_any_number_of_times()
    {
        var wal = await CreateAsync();
        await AppendAllAsync(wal, [Record(0, 100), Record(1, 100)]);
        await wal.DisposeAsync();
        Assert.True(await NewProvider().DiscardAsync(wal.Descriptor, Token));
        Assert.True(await NewProvider().DiscardAsync(wal.Descriptor, Token));
        Assert.Empty(await NewProvider().FindOthersAsync(new HashSet<Guid>(), Token));

        if (GivesRoomBackAtOnce)
        {
            Assert.Empty(await ReadIfAnyAsync(wal.Descriptor));
        }
    }

    /// <summary>As another process on the same media would make it.</summary>
    private protected abstract IWalProvider NewProvider();

    private protected async Task<IWriteAheadLog> CreateAsync(IWalProvider? provider = null)
    {
        provider ??= NewProvider();
        return await provider.CreateAsync(provider.Describe(Node, Epoch, []), Token);
    }

    private async Task<List<StreamRecord>> ReadIfAnyAsync(WalDescriptor wal)
    {
        try
        {
            await using var recovery = await NewProvider().TakeOverAsync(wal, Token);
            return await ReadAllAsync(recovery);
        }
        catch (WalUnavailableException)
        {
            return [];
        }
    }

    private async Task AssertEndsWithAsync(ISealedWal recovery, IEnumerable<StreamRecord> expected)
    {
        var found = await ReadAllAsync(recovery);
        var wanted = expected.ToList();
        Assert.InRange(found.Count, wanted.Count, TrimsExactly ? wanted.Count : wanted.Count + 10);
        AssertSame(wanted, found.TakeLast(wanted.Count));
    }
}
