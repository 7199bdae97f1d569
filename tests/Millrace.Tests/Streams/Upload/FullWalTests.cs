using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;
using Xunit;

namespace Millrace.Tests.Streams.Upload;

public sealed class FullWalTests
{
    private const int Appends = 240;
    private const int Bytes = 100_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task An_upload_does_not_wait_for_records_that_wait_for_its_space()
    {
        var registry = new TestRegistry();
        await using var storage = new TestStorage();
        await using var node = new TestNode(registry, storage);
        var owner = new TestOwner { HasAnnex = false };
        var id = await registry.CreateAsync(node.Incarnation, default);
        owner.Stream = await node.Store.OpenAsync(id, new StreamEpoch(1), owner, default);
        node.Wal.Hold();
        var appends = new List<Task>();
        for (var i = 0; i < 3; i++)
        {
            appends.Add(await node.BeginAppendAsync(owner));
        }

        node.Wal.Flush(2);
        await Task.WhenAll(appends[..2]).WaitAsync(Patience);
        node.Store.Planner.AskForAll();
        node.Wal.Fullness = 1;
        await TestNode.UntilAsync(() => registry.Describe(id).End == 2 && node.Wal.TrimmedTo > 0);
        Assert.False(appends[2].IsCompleted);

        node.Wal.Fullness = 0;
        node.Wal.Release();
        await appends[2].WaitAsync(Patience);
        await node.UploadAsync();
        Assert.Equal(
            [(0, 2, false), (2, 3, true)],
            registry.Describe(id).Ranges.Select(range => (range.StartOffset, range.EndOffset, range.HasCheckpoint)));
        Assert.Equal([0, 1, 2], await TestNode.ReadAllAsync(owner.Stream, 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task More_appends_at_once_than_the_wal_holds_all_become_durable(bool closesAtOnce)
    {
        await using var small = await SmallRing.StartAsync();
        var (owner, durable) = await small.AppendManyAsync();

        // What is uploaded at the end must not wait for records that wait for its space.
        var closing = closesAtOnce ? owner.Stream.HandOverAsync(default).AsTask() : Task.CompletedTask;
        await Task.WhenAll(durable).WaitAsync(Patience);
        await closing.WaitAsync(Patience);
        await owner.Stream.CloseAsync(default).AsTask().WaitAsync(Patience);
        Assert.Equal(Appends, small.Registry.Describe(owner.Stream.Id).End);
    }

    [Fact]
    public async Task A_stream_that_is_deleted_leaves_a_wal_in_which_nothing_else_lies_and_what_it_held()
    {
        await using var small = await SmallRing.StartAsync();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        small.Storage.BeforePut = (_, _) => new(gate.Task);
        var (owner, durable) = await small.AppendManyAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => small.Wal.Fullness == 1));
        small.Registry.Delete(owner.Stream.Id);
        gate.SetResult();

        Assert.Equal(StreamError.Unknown, await owner.Lost.WaitAsync(Patience));
        await Task.WhenAll(durable).ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(Patience);
        Assert.True(await Eventually.BecomesTrueAsync(() => small.Wal.Fullness == 0 && small.Store.NotUploadedBytes == 0));
    }

    /// <summary>A store over a real ring that holds a part of what is appended.</summary>
    private sealed class SmallRing : IAsyncDisposable
    {
        private static readonly NodeIncarnation Self = new(new NodeId(1), new NodeEpoch(1));
        private readonly RealNode _machine = new();
        private readonly BufferPool _buffers = new(maxIdleBytes: 64 << 20);

        public TestStorage Storage { get; } = new();

        public TestRegistry Registry { get; } = new();

        public IWriteAheadLog Wal { get; private set; } = null!;

        public StreamStore Store { get; private set; } = null!;

        public static async Task<SmallRing> StartAsync()
        {
            var small = new SmallRing();
            var (runtime, folder) = (small._machine.Runtime, Path.Combine(small._machine.Folder, "wal"));
            var provider = new RingWalProvider(runtime, small._buffers, new WalFolder(runtime, folder, new() { Capacity = 8 << 20 }), new());
            var descriptor = provider.Describe(Self.Node, Self.Epoch, []);
            small.Registry.RegisterWal(descriptor.Id, Self);
            small.Wal = await provider.CreateAsync(descriptor, default);
            small.Store = new StreamStore(
                runtime,
                TestNode.Small with { NotUploadedBytes = 64 << 20, UploadInterval = TimeSpan.FromMilliseconds(10) },
                new StreamsComponents(Self, new NodeWals(small.Wal), small.Storage, small.Registry, small._buffers));
            return small;
        }

        public async Task<(TestOwner Owner, List<Task> Durable)> AppendManyAsync()
        {
            var owner = new TestOwner { HasAnnex = false };
            owner.Stream = await Store.OpenAsync(await Registry.CreateAsync(Self, default), new StreamEpoch(1), owner, default);
            var durable = new List<Task>();
            for (var i = 0; i < Appends; i++)
            {
                var permit = await owner.Stream.AdmitAsync(Bytes, default);
                var frame = _buffers.Rent(Bytes);
                TestNode.Fill(frame.GetSpan(), owner.Stream.Id, i);
                durable.Add(owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame), permit).AsTask());
                frame.Release();
            }

            return (owner, durable);
        }

        public async ValueTask DisposeAsync()
        {
            await Store.DisposeAsync();
            await Wal.DisposeAsync();
            await Storage.DisposeAsync();
            _buffers.Dispose();
            _machine.Dispose();
        }
    }
}
