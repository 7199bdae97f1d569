using System.Buffers;
using Millrace.ObjectStorage;
using Millrace.Runtime.Buffers;
using Millrace.Streams;
using Millrace.Streams.Objects;
using Xunit;

namespace Millrace.Tests.Streams.Objects;

public sealed class SharedReadsTests : IAsyncDisposable
{
    private const string Key = "data/00/0000000000000001";
    private const int Size = 2 << 20;
    private const int Occupied = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TestStorage _storage = new();
    private readonly BufferPool _buffers = new(maxIdleBytes: 8 << 20) { Poisons = true };
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[] _body = new byte[Size];
    private readonly SharedReads _reads;

    public SharedReadsTests()
    {
        new Random(1).NextBytes(_body);
        _reads = new SharedReads(_storage, _buffers, _stopping.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _storage.DisposeAsync();
        _buffers.Dispose();
        _stopping.Dispose();
    }

    [Fact]
    public async Task A_thousand_parts_of_an_object_that_are_asked_for_while_it_is_read_take_a_few_reads()
    {
        await StartAsync();
        await OccupyAsync();
        var parts = Enumerable.Range(0, 1_000).Select(i => ReadAsync(i * 2_000, 300)).ToList();
        _held.SetResult();
        await Task.WhenAll(parts).WaitAsync(Patience);

        // What they lie in are two megabytes.
        Assert.Equal(Occupied + 4, _storage.Reads);
    }

    [Fact]
    public async Task Parts_that_lie_far_from_one_another_are_not_read_along_with_what_is_between()
    {
        await StartAsync();
        await OccupyAsync();
        Task<int>[] parts = [ReadAsync(1_000_000, 50), ReadAsync(1_000_100, 50), ReadAsync(4, 50), ReadAsync(1_900_000, 50)];
        _held.SetResult();
        await Task.WhenAll(parts).WaitAsync(Patience);

        Assert.Equal(Occupied + 3, _storage.Reads);
    }

    [Fact]
    public async Task Nothing_waits_for_others_while_an_object_is_not_being_read()
    {
        await StartAsync(isHeld: false);
        for (var i = 0; i < 10; i++)
        {
            await ReadAsync(i, 10).WaitAsync(Patience);
        }

        Assert.Equal(10, _storage.Reads);
    }

    [Fact]
    public async Task Large_parts_go_by_themselves_and_at_once()
    {
        await StartAsync();
        var parts = Enumerable.Range(0, 40).Select(i => ReadAsync(i, SharedReads.LargestPart + 1)).ToList();

        Assert.Equal(40, _storage.Reads);
        _held.SetResult();
        await Task.WhenAll(parts).WaitAsync(Patience);
    }

    [Fact]
    public async Task What_lies_beyond_the_end_of_an_object_is_missing_for_its_reader_alone()
    {
        await StartAsync();
        await OccupyAsync();
        Task<int>[] parts = [ReadAsync(Size - 100, 50), ReadAsync(Size - 30, 50), ReadAsync(Size + 10, 50)];
        var absent = _reads.ReadAsync("data/00/0000000000000002", 5, new byte[10], default).AsTask();
        _held.SetResult();

        int[] expected = [50, 30, 0];
        Assert.Equal(expected, await Task.WhenAll(parts).WaitAsync(Patience));
        Assert.Equal(-1, await absent.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_failed_read_fails_those_who_share_it_and_the_next_is_made_anew()
    {
        await StartAsync();
        await OccupyAsync();
        var failing = new[] { ReadAsync(100, 10), ReadAsync(200, 10) };
        _storage.BeforeRead = _ => throw TestStorage.Unavailable;
        _held.SetResult();
        foreach (var one in failing)
        {
            await Assert.ThrowsAsync<ObjectStorageException>(() => one.WaitAsync(Patience));
        }

        _storage.BeforeRead = _ => default;
        Assert.Equal(10, await ReadAsync(100, 10).WaitAsync(Patience));
    }

    [Fact]
    public async Task Whoever_gives_up_gets_nothing_written_any_more_and_the_others_theirs()
    {
        await StartAsync();
        await OccupyAsync();
        using var impatient = new CancellationTokenSource();
        var abandoned = new byte[50];
        var leaving = _reads.ReadAsync(Key, 0, abandoned, impatient.Token).AsTask();
        var staying = ReadAsync(100, 50);
        impatient.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving.WaitAsync(Patience));
        _held.SetResult();

        Assert.Equal(50, await staying.WaitAsync(Patience));
        Assert.Equal(50, await ReadAsync(0, 50).WaitAsync(Patience));
        Assert.Equal(new byte[50], abandoned);
    }

    [Fact]
    public async Task The_end_of_the_store_ends_reads_that_are_not_answered()
    {
        await StartAsync();
        _storage.BeforeRead = _ => new(_held.Task.WaitAsync(_stopping.Token));
        var parts = Enumerable.Range(0, 10).Select(i => ReadAsync(i, 10)).ToList();
        _stopping.Cancel();

        foreach (var part in parts)
        {
            Assert.Equal(StreamError.Closed, (await Assert.ThrowsAsync<StreamException>(() => part.WaitAsync(Patience))).Error);
        }
    }

    /// <summary>As many reads of the object are under way as there may be: what is asked for now gathers until one of them ends.</summary>
    private async Task OccupyAsync()
    {
        for (var i = 1; i <= Occupied; i++)
        {
            _ = ReadAsync(i, 10);
            await TestNode.UntilAsync(() => _storage.Reads == i);
        }
    }

    private async Task StartAsync(bool isHeld = true)
    {
        await _storage.PutAsync(Key, new ReadOnlySequence<byte>(_body), default);
        _storage.BeforeRead = isHeld ? _ => new(_held.Task) : _ => default;
    }

    private async Task<int> ReadAsync(int position, int length)
    {
        var destination = new byte[length];
        var count = await _reads.ReadAsync(Key, position, destination, default);
        Assert.Equal(_body.Skip(position).Take(length), destination.Take(count));
        return count;
    }
}
