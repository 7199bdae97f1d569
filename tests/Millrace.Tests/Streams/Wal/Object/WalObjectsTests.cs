using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;
using Millrace.Tests.ObjectStorage;
using Xunit;

namespace Millrace.Tests.Streams.Wal.Object;

/// <summary>Objects of a WAL in the store, found by who writes it and read by another node meanwhile.</summary>
public sealed class WalObjectsTests : IAsyncLifetime
{
    private const int Length = 1000;
    private static readonly StreamId Stream = new(1);
    private static readonly StreamEpoch Epoch = new(5);

    private readonly RealNode _node = new();
    private readonly BufferPool _pool = new(64 << 20);
    private readonly AdjustedObjectStorage _storage = new();
    private readonly WalObjects _objects;
    private IWriteAheadLog _wal = null!;

    public WalObjectsTests() => _objects = new WalObjects(_node.Runtime, _storage, _pool, limit: 3 * Length);

    public async ValueTask InitializeAsync()
    {
        var provider = new ObjectWalProvider(_node.Runtime, _pool, _storage, new());
        _wal = await provider.CreateAsync(provider.Describe(new NodeId(7), new NodeEpoch(3), []), TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _wal.DisposeAsync();
        _objects.Dispose();
        Assert.Equal(0, _pool.RentedBytes);
        _node.Dispose();
        await _storage.DisposeAsync();
        _pool.Dispose();
    }

    [Fact]
    public async Task Each_acknowledged_record_is_found_in_its_object_and_no_other_is()
    {
        List<long> positions = [];
        for (var i = 0; i < 5; i++)
        {
            await _wal.AppendAsync(Record(i), out var position);
            positions.Add(position);
        }

        var places = positions.ConvertAll(position => _wal.FindObject(position)!.Value);
        Assert.Equal(positions.Select(position => position + 1), places.Select(place => place.EndPosition));
        Assert.Equal(5, places.Select(place => place.Place).Distinct().Count());
        Assert.Null(_wal.FindObject(positions[0] - 1));
        Assert.Null(_wal.FindObject(positions[^1] + 1));

        await _wal.TrimAsync(positions[2], TestContext.Current.CancellationToken);
        Assert.Null(_wal.FindObject(positions[0]));
        Assert.NotNull(_wal.FindObject(positions[2]));
    }

    [Fact]
    public async Task Only_the_records_of_one_stream_and_epoch_are_read_from_an_offset_to_the_end_that_was_told()
    {
        // What goes together while the first is written lies in one object.
        StreamRecord[] records =
        [
            Record(0), Record(1), Record(0, stream: 2), Record(2, epoch: 4), Record(2), Record(3), Record(4),
        ];
        List<Task> durable = [];
        List<long> positions = [];
        foreach (var record in records)
        {
            durable.Add(_wal.AppendAsync(record, out var position).AsTask());
            positions.Add(position);
        }

        await Task.WhenAll(durable);
        var together = Extent(positions[^1], endOffset: 4);
        Assert.Equal(_wal.FindObject(positions[1]), _wal.FindObject(positions[^1]));

        Assert.Equal([1, 2, 3], await ReadAsync(together, 1));
        Assert.Equal([2, 3], await ReadAsync(together, 2));
        Assert.Equal([], await ReadAsync(together, 4));
        Assert.Equal([0], await ReadAsync(together with { EndOffset = 9 }, 0, stream: 2));
        Assert.Equal([2], await ReadAsync(together with { Epoch = new StreamEpoch(4) }, 0));
    }

    [Fact]
    public async Task What_cannot_be_had_is_null_and_is_tried_again_by_who_asks_again()
    {
        var extent = await AppendAsync(0);
        foreach (var failure in new Exception[]
            {
                new ObjectStorageException(ObjectStorageError.AccessDenied, "no"), new ObjectLogException(ObjectLogError.Corrupt, "bad"),
                new InsufficientMemoryException(),
            })
        {
            _storage.BeforeGet = _ => throw failure;
            Assert.Null(await ReadAsync(extent, 0));
        }

        _storage.BeforeGet = static _ => default;
        Assert.Equal([0], await ReadAsync(extent, 0));
        Assert.Null(await ReadAsync(extent with { Index = extent.Index + 1 }, 0));
        Assert.False(_node.Runtime.Stopping.IsCancellationRequested);
    }

    [Fact]
    public async Task An_object_is_read_once_while_it_is_kept_and_the_oldest_go()
    {
        var gets = 0;
        _storage.BeforeGet = _ =>
        {
            gets++;
            return default;
        };
        List<WalExtent> extents = [];
        for (var i = 0; i < 4; i++)
        {
            extents.Add(await AppendAsync(i));
            Assert.Equal([i], await ReadAsync(extents[i], 0));
            Assert.Equal([i], await ReadAsync(extents[i], 0));
            Assert.InRange(_pool.RentedBytes, 1, 3 * Length);
        }

        Assert.Equal(4, gets);
        Assert.Equal([3], await ReadAsync(extents[3], 0));
        Assert.Equal(4, gets);
        Assert.Equal([0], await ReadAsync(extents[0], 0));
        Assert.Equal(5, gets);
    }

    [Fact]
    public async Task A_few_are_read_at_a_time_and_who_waits_goes_when_it_likes()
    {
        var (under, most) = (0, 0);
        var answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        List<WalExtent> extents = [];
        for (var i = 0; i < 9; i++)
        {
            extents.Add(await AppendAsync(i));
        }

        _storage.BeforeGet = async token =>
        {
            most = Math.Max(most, Interlocked.Increment(ref under));
            await answers.Task.WaitAsync(token);
            Interlocked.Decrement(ref under);
        };
        var reads = extents.ConvertAll(extent => ReadAsync(extent, 0));
        using var impatient = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _objects.ReadAsync(extents[0], Stream, 0, impatient.Token));
        Assert.Equal(4, Volatile.Read(ref under));

        answers.SetResult();
        for (var i = 0; i < 9; i++)
        {
            Assert.Equal([i], await reads[i]);
        }

        Assert.Equal(4, most);
    }

    private static StreamRecord Record(long offset, long stream = 1, long epoch = 5) =>
        new(new StreamId(stream), new StreamEpoch(epoch), offset, 1, 1_700_000_000_000, new byte[Length]);

    private async Task<WalExtent> AppendAsync(long offset)
    {
        await _wal.AppendAsync(Record(offset), out var position);
        return Extent(position, offset + 1);
    }

    private WalExtent Extent(long position, long endOffset)
    {
        var (place, _) = _wal.FindObject(position)!.Value;
        return new WalExtent(_wal.Descriptor.Location, place.Term, place.Index, Epoch, endOffset, Length);
    }

    private async Task<List<long>?> ReadAsync(WalExtent extent, long offset, long stream = 1) =>
        (await _objects.ReadAsync(extent, new StreamId(stream), offset, TestContext.Current.CancellationToken))?.Select(record => record.BaseOffset).ToList();
}
