using Millrace.ObjectStorage;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;
using Millrace.Tests.ObjectStorage;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Object;

public abstract class ObjectWalTests : WalContract
{
    private IObjectStorage? _store;

    private protected IObjectStorage Store => _store!;

    private protected override bool TrimsExactly => false;

    public override async ValueTask InitializeAsync()
    {
        try
        {
            _store = await OpenAsync();
        }
        catch
        {
            // Skipped, perhaps; the folder must go all the same.
            await base.DisposeAsync();
            throw;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_batch_that_cannot_be_laid_out_ends_the_wal_and_leaves_no_append_waiting()
    {
        await using var wal = await CreateAsync();
        await AppendAllAsync(wal, [Record(0, 100)]);
        using var unreadable = new UnreadableMemory();
        var failing = wal.AppendAsync(Record(1, 0) with { Payload = unreadable.Memory[..100] }, out _).AsTask();

        Assert.Equal(StreamError.WalFailed, (await Assert.ThrowsAsync<StreamException>(() => failing.WaitAsync(TimeSpan.FromSeconds(30), Token))).Error);
        Assert.Equal(StreamError.WalFailed, (await wal.Lost.WaitAsync(TimeSpan.FromSeconds(30), Token)).Error);
        await Assert.ThrowsAsync<StreamException>(async () => await wal.AppendAsync(Record(2, 100), out _));
    }

    [Fact]
    public async Task A_writer_that_was_taken_over_acknowledges_nothing_that_the_recovery_lacks()
    {
        for (var round = 0; round < 5; round++)
        {
            var wal = await CreateAsync();
            var acknowledged = new List<StreamRecord>();
            var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var writing = Task.Run(async () =>
            {
                for (var i = 0; ; i++)
                {
                    var record = Record(i, 100 + i % 7 * 3000);
                    await wal.AppendAsync(record, out _);
                    acknowledged.Add(record);
                    if (i == 20)
                    {
                        enough.SetResult();
                    }
                }
            });
            await enough.Task;

            await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
            Assert.Equal(StreamError.Fenced, (await Assert.ThrowsAsync<StreamException>(() => writing)).Error);
            Assert.Equal(StreamError.Fenced, (await wal.Lost).Error);
            var recovered = await ReadAllAsync(recovery);
            Assert.Equal(acknowledged.Select(record => record.BaseOffset), recovered.Take(acknowledged.Count).Select(record => record.BaseOffset));
            await wal.DisposeAsync();
        }
    }

    [Fact]
    public async Task Two_that_take_over_at_once_recover_the_same()
    {
        var wal = await CreateAsync();
        var records = Enumerable.Range(0, 30).Select(i => Record(i, 5000)).ToArray();
        await AppendAllAsync(wal, records);
        await wal.DisposeAsync();
        var both = await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ => await NewProvider().TakeOverAsync(wal.Descriptor, Token)));
        foreach (var recovery in both)
        {
            await AssertHoldsAsync(recovery, records);
        }
    }

    [Fact]
    public async Task Appends_that_wait_share_an_object()
    {
        await using var wal = await CreateAsync();
        await AppendAllAsync(wal, Enumerable.Range(0, 2000).Select(i => Record(i, 100)));
        Assert.InRange((await Store.ListAsync("WAL/", null, 1000, Token)).Count, 1, 100);
    }

    [Fact]
    public async Task A_completed_wal_leaves_only_what_fences_a_late_writer()
    {
        var wal = await CreateAsync();
        await AppendAllAsync(wal, Enumerable.Range(0, 20).Select(i => Record(i, 3000)));
        await wal.DisposeAsync();
        await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
        await recovery.CompleteAsync(Token);
        await AssertOnlySealAndMarkerAsync();
    }

    [Fact]
    public async Task A_retired_wal_leaves_only_what_fences_a_late_writer()
    {
        var wal = await CreateAsync();
        await AppendAllAsync(wal, Enumerable.Range(0, 20).Select(i => Record(i, 3000)));
        await wal.RetireAsync(Token);
        await AssertOnlySealAndMarkerAsync();
        await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
        await AssertHoldsAsync(recovery, []);
    }

    [Fact]
    public async Task A_lost_object_that_later_ones_confirm_stops_recovery()
    {
        var wal = await CreateAsync();
        for (var i = 0; i < 5; i++)
        {
            await wal.AppendAsync(Record(i, 100), out _);
        }

        await wal.DisposeAsync();
        var objects = await Store.ListAsync(wal.Descriptor.Location + "LOG/", null, 100, Token);
        await Store.DeleteAsync([objects[2].Key], Token);
        await Assert.ThrowsAsync<WalUnavailableException>(async () => await NewProvider().TakeOverAsync(wal.Descriptor, Token));
    }

    [Fact]
    public async Task A_lost_object_far_from_the_end_stops_the_reading_of_a_recovery_and_the_writer_is_fenced_all_the_same()
    {
        await using var wal = await CreateAsync();
        await AppendOneByOneAsync(wal, 0, 40);
        var objects = await Store.ListAsync(wal.Descriptor.Location + "LOG/", null, 100, Token);
        await Store.DeleteAsync([objects[2].Key], Token);

        await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);

        Assert.Equal(StreamError.Fenced, (await Assert.ThrowsAsync<StreamException>(async () => await wal.AppendAsync(Record(40, 100), out _))).Error);
        await Assert.ThrowsAsync<WalUnavailableException>(() => ReadAllAsync(recovery));
    }

    [Fact]
    public async Task The_end_of_many_objects_is_found_from_a_list_and_each_is_read_once()
    {
        var wal = await CreateAsync();
        await AppendOneByOneAsync(wal, 0, 200);
        await wal.DisposeAsync();
        var counted = new CountedStorage(Store);
        var provider = new ObjectWalProvider(Machine.Runtime, Pool, counted, new());

        await using var recovery = await provider.TakeOverAsync(wal.Descriptor, Token);
        var toSeal = counted.Reads;
        var recovered = await ReadAllAsync(recovery);

        // What may be the end, the end, the seal, and what may lie beyond it.
        Assert.InRange(toSeal, 1, (3 * ObjectWalFormat.InFlight) + 3);
        Assert.Equal(200, counted.Reads - toSeal);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => Record(i, 100).BaseOffset), recovered.Select(record => record.BaseOffset));
    }

    [Fact]
    public async Task It_asks_for_an_upload_when_a_recovery_would_have_to_read_too_many_objects()
    {
        var provider = new ObjectWalProvider(Machine.Runtime, Pool, Store, new() { UploadObjects = 10 });
        await using var wal = await provider.CreateAsync(provider.Describe(new(1), new(1), []), Token);
        await AppendOneByOneAsync(wal, 0, 10);
        Assert.Equal(0.5, wal.Fullness);
        await AppendOneByOneAsync(wal, 10, 20);
        Assert.InRange(wal.Fullness, 0.9, 0.999);
        await wal.TrimAsync(25, Token);
        Assert.InRange(wal.Fullness, 0.2, 0.3);
    }

    private protected abstract ValueTask<IObjectStorage> OpenAsync();

    private static async Task AppendOneByOneAsync(IWriteAheadLog wal, int first, int count)
    {
        for (var i = first; i < first + count; i++)
        {
            await wal.AppendAsync(Record(i, 100), out _);
        }
    }

    private protected override IWalProvider NewProvider() => new ObjectWalProvider(Machine.Runtime, Pool, Store, new());

    private async Task AssertOnlySealAndMarkerAsync()
    {
        var left = await Store.ListAsync("WAL/", null, 100, Token);
        Assert.Equal(2, left.Count);
        Assert.Contains("/LOG/", left[0].Key, StringComparison.Ordinal);
        Assert.Contains("/TRIM/", left[1].Key, StringComparison.Ordinal);
        Assert.All(left, entry => Assert.InRange(entry.Size, 1, 200));
    }
}
