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
        const int Appends = 240;
        const int Bytes = 100_000;
        using var machine = new RealNode();
        using var buffers = new BufferPool(maxIdleBytes: 64 << 20);
        await using var storage = new TestStorage();
        var registry = new TestRegistry();
        var incarnation = new NodeIncarnation(new NodeId(1), new NodeEpoch(1));
        var provider = new RingWalProvider(
            machine.Runtime, buffers, new WalFolder(machine.Runtime, Path.Combine(machine.Folder, "wal"), new() { Capacity = 8 << 20 }), new());
        var descriptor = provider.Describe(incarnation.Node, incarnation.Epoch, []);
        registry.RegisterWal(descriptor.Id, incarnation);
        await using var wal = await provider.CreateAsync(descriptor, default);
        await using var store = new StreamStore(
            machine.Runtime,
            TestNode.Small with { NotUploadedBytes = 64 << 20, UploadInterval = TimeSpan.FromMilliseconds(10) },
            new StreamsComponents(incarnation, new NodeWals(wal), storage, registry, buffers));
        var owner = new TestOwner { HasAnnex = false };
        owner.Stream = await store.OpenAsync(await registry.CreateAsync(incarnation, default), new StreamEpoch(1), owner, default);

        var durable = new List<Task>();
        for (var i = 0; i < Appends; i++)
        {
            var permit = await owner.Stream.AdmitAsync(Bytes, default);
            var frame = buffers.Rent(Bytes);
            TestNode.Fill(frame.GetSpan(), owner.Stream.Id, i);
            durable.Add(owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame), permit).AsTask());
            frame.Release();
        }

        // What is uploaded at the end must not wait for records that wait for its space.
        var closing = closesAtOnce ? owner.Stream.HandOverAsync(default).AsTask() : Task.CompletedTask;
        await Task.WhenAll(durable).WaitAsync(Patience);
        await closing.WaitAsync(Patience);
        await owner.Stream.CloseAsync(default).AsTask().WaitAsync(Patience);
        Assert.Equal(Appends, registry.Describe(owner.Stream.Id).End);
    }
}
