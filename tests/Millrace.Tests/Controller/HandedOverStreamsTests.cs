using Millrace.Controller;
using Millrace.Controller.Clients;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Scenarios;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;
using Millrace.Tests.ObjectStorage;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Controller;

/// <summary>A partition's stream that one node's store hands over to another's, by the controller that ships: what the next leader does.</summary>
public sealed class HandedOverStreamsTests : IAsyncDisposable
{
    private const int Count = 3;
    private static readonly ClusterControllerOptions Quiet = new() { CollectionInterval = TimeSpan.FromDays(10) };

    private readonly CountedStorage _storage = new(new MemoryObjectStorage());
    private readonly BufferPool _buffers = new(maxIdleBytes: 8 << 20);
    private readonly ControllerNode _process;
    private readonly List<IAsyncDisposable> _parts = [];
    private AskedController _controller = null!;

    public HandedOverStreamsTests() => _process = new ControllerNode(_storage);

    private PartitionImage Partition => _controller.Metadata.Image.Topics["t"].Partitions[0];

    [Fact]
    public async Task The_next_leader_opens_without_an_entry_and_goes_on_where_the_former_ended()
    {
        var (former, next) = await HandOverAsync();
        var entries = _storage.Entries;

        var owner = await next.OpenAsync(Partition);

        Assert.Equal(entries, _storage.Entries);
        Assert.Equal(Count, owner.Stream.NextOffset);
        await next.AppendAsync(owner);
        Assert.Equal([0, 1, 2, 3], await TestNode.ReadAllAsync(owner.Stream, 0));
        await next.Store.CloseAsync(default);
        await _controller.LeaveAsync(next.Self, next.Store, default);
        await former.Store.CloseAsync(default);
    }

    [Fact]
    public async Task A_next_leader_that_leaves_before_it_has_opened_loses_nothing_and_keeps_nobody_waiting()
    {
        var (former, next) = await HandOverAsync();
        await next.Store.CloseAsync(default);

        await _controller.LeaveAsync(next.Self, next.Store, default);

        Assert.Equal(NodeState.Stopped, _controller.Metadata.Image.Nodes[next.Self.Node].State);
        Assert.Equal((former.Self.Node, 2), (Partition.Leader!.Value, Partition.LeaderEpoch));
        Assert.Empty(await _controller.GetWaitingWalsAsync(default));
        Assert.Equal([0, 1, 2], await TestNode.ReadAllAsync((await former.OpenAsync(Partition)).Stream, 0));
    }

    [Fact]
    public async Task A_node_that_has_lost_a_stream_which_was_handed_over_to_it_does_not_leave_with_what_only_its_WAL_has()
    {
        var (former, next) = await HandOverAsync();
        var owner = await next.OpenAsync(Partition);
        await next.AppendAsync(owner);
        ((LocalStream)owner.Stream).Lose(new StreamException(StreamError.Corrupt, "for the test"));
        await next.Store.CloseAsync(default);

        var refusal = await Assert.ThrowsAsync<StreamException>(() => _controller.LeaveAsync(next.Self, next.Store, default).AsTask());

        Assert.Equal(StreamError.Incomplete, refusal.Error);
        Assert.Equal(NodeState.Live, _controller.Metadata.Image.Nodes[next.Self.Node].State);
        Assert.Equal(new StreamEpoch(1), _controller.Controller.State.Streams.Streams[Partition.Stream].OpenRange?.Epoch);
        await former.Store.CloseAsync(default);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in _parts.AsEnumerable().Reverse())
        {
            await part.DisposeAsync();
        }

        await _process.DisposeAsync();
        await _storage.DisposeAsync();
        _buffers.Dispose();
    }

    /// <summary>A partition with a few records, most of them in no object before, that one node has handed over to another.</summary>
    private async Task<(Node Former, Node Next)> HandOverAsync()
    {
        _controller = await _process.StartAsync(Quiet);
        var former = await StartAsync("former");
        await _controller.CreateTopicsAsync(
            new CreateTopicsRequest { Topics = [new() { Name = "t", NumPartitions = 1, ReplicationFactor = 1 }] }, default);
        var owner = await former.OpenAsync(Partition);
        for (var i = 0; i < Count; i++)
        {
            await former.AppendAsync(owner);
        }

        var next = await StartAsync("next");
        var reassigned = await _controller.SendAsync<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(new()
        {
            Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0, Replicas = [next.Self.Node.Value] }] }],
        });
        Assert.Equal((short)ErrorCode.None, reassigned.Responses[0].Partitions[0].ErrorCode);
        await former.Store.HandOverAsync([owner.Stream], default);
        Assert.Equal((next.Self.Node, 1), (Partition.Leader!.Value, Partition.LeaderEpoch));
        return (former, next);
    }

    private async Task<Node> StartAsync(string name)
    {
        var self = await _controller.RegisterAsync(
            new NodeRegistration(_process.Runtime.NewId(), [new NodeEndpoint(ListenerName.Plaintext, name, 9092)], null) { Name = name }, default);
        var wals = new ObjectWalProvider(_process.Runtime, _buffers, _storage, new());
        var descriptor = wals.Describe(self.Node, self.Epoch, []);
        await _controller.RegisterWalAsync(self, descriptor, default);
        var wal = await wals.CreateAsync(descriptor, default);
        _parts.Add(wal);
        var registry = new StreamRegistry(_controller.Channel, self);
        var store = new StreamStore(_process.Runtime, TestNode.Small, new StreamsComponents(self, new NodeWals(wal), _storage, registry, _buffers));
        _parts.Add(store);
        return new Node(self, store, _buffers);
    }

    private sealed record Node(NodeIncarnation Self, StreamStore Store, BufferPool Buffers)
    {
        public async Task<TestOwner> OpenAsync(PartitionImage partition)
        {
            var owner = new TestOwner();
            owner.Stream = await Store.OpenAsync(partition.Stream, partition.Epoch, owner, default);
            return owner;
        }

        public async Task AppendAsync(TestOwner owner)
        {
            using var permit = await owner.Stream.AdmitAsync(100, default);
            var frame = Buffers.Rent(100);
            TestNode.Fill(frame.GetSpan(), owner.Stream.Id, owner.Stream.NextOffset);
            var append = owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame), permit).AsTask();
            frame.Release();
            await append;
        }
    }
}
