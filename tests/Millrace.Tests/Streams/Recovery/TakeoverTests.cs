using Microsoft.Extensions.Logging.Abstractions;
using Millrace.ObjectStorage.Memory;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;
using Millrace.Streams.Wal.Object;
using Xunit;

namespace Millrace.Tests.Streams.Recovery;

/// <summary>Stores over the WALs that ship: what one acknowledged, the next one serves, and nothing that it does not serve was acknowledged.</summary>
public sealed class TakeoverTests : IAsyncDisposable
{
    private const int Streams = 3;
    private readonly string _folder = Directory.CreateTempSubdirectory("millrace-takeover").FullName;
    private readonly MemoryObjectStorage _bucket = new();
    private readonly TestRegistry _registry = new();
    private readonly NodeRuntime _runtime = new(
        TimeProvider.System, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);

    private readonly BufferPool _buffers = new(maxIdleBytes: 8 << 20);

    public async ValueTask DisposeAsync()
    {
        await _bucket.DisposeAsync();
        _runtime.Dispose();
        _buffers.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public Task An_object_wal_is_taken_over_from_a_living_store_under_load() => TakeOverInTurnAsync(
        () => new ObjectWalProvider(_runtime, _buffers, _bucket, new ObjectWalOptions()), formerIsAlive: true);

    [Fact]
    public Task A_file_wal_is_recovered_after_its_store_stopped_dead() => TakeOverInTurnAsync(
        () => new RingWalProvider(_runtime, _buffers, new WalFolder(_runtime, _folder, new() { Capacity = 32 << 20 }), new()), formerIsAlive: false);

    private async Task TakeOverInTurnAsync(Func<IWalProvider> providerOf, bool formerIsAlive)
    {
        var ids = new List<StreamId>();
        for (var i = 0; i < Streams; i++)
        {
            ids.Add(await _registry.CreateAsync(Node(1), default));
        }

        var acknowledged = ids.ToDictionary(id => id, _ => new SortedSet<long>());
        Life? former = null;
        for (var turn = 1; turn <= 4; turn++)
        {
            var life = new Life(this, providerOf(), turn);
            if (former is not null)
            {
                if (!formerIsAlive)
                {
                    await former.StopAsync();
                }

                _registry.Fence(former.Node);
                await RecoverAsync(life, former.Descriptor);
            }

            await life.OpenAsync(ids);
            if (former is not null)
            {
                await former.StopAsync();
                // Whatever the former one said until its end is in here.
                CheckServed(life, former.Acknowledged, acknowledged);
            }

            foreach (var owner in life.Owners)
            {
                var served = await TestNode.ReadAllAsync(owner.Stream, 0, maxBytes: 100_000);
                Assert.Superset(acknowledged[owner.Stream.Id], served.ToHashSet());
            }

            life.Produce();
            await TestNode.UntilAsync(() => life.Acknowledged.Count > 100);
            former = life;
        }

        await former!.StopAsync();
    }

    private static void CheckServed(Life life, IReadOnlyList<(StreamId Stream, long Offset)> acks, Dictionary<StreamId, SortedSet<long>> acknowledged)
    {
        foreach (var (stream, offset) in acks)
        {
            Assert.True(life.RecoveredEnds[stream] > offset, $"Offset {offset} of stream {stream} was acknowledged and is not served");
            Assert.True(acknowledged[stream].Add(offset), $"Offset {offset} of stream {stream} was given twice");
        }
    }

    private async Task RecoverAsync(Life life, WalDescriptor descriptor)
    {
        await using var wal = await life.Provider.TakeOverAsync(descriptor, default);
        await new ShareRecoverer(_runtime, TestNode.Small, new UploadTarget(life.Node, _bucket, _registry, _buffers)).RecoverShareAsync(wal);
    }

    private static NodeIncarnation Node(int epoch) => new(new NodeId(1), new NodeEpoch(epoch));

    /// <summary>One incarnation with its producers.</summary>
    private sealed class Life(TakeoverTests test, IWalProvider provider, int turn)
    {
        private readonly List<(StreamId, long)> _acknowledged = [];
        private readonly CancellationTokenSource _stopping = new();
        private Task _producers = Task.CompletedTask;
        private IWriteAheadLog? _wal;
        private StreamStore? _store;

        public IWalProvider Provider => provider;

        public NodeIncarnation Node { get; } = Node(turn);

        public List<TestOwner> Owners { get; } = [];

        public Dictionary<StreamId, long> RecoveredEnds { get; } = [];

        public WalDescriptor Descriptor => _wal!.Descriptor;

        public IReadOnlyList<(StreamId Stream, long Offset)> Acknowledged
        {
            get
            {
                lock (_acknowledged)
                {
                    return [.. _acknowledged];
                }
            }
        }

        public async Task OpenAsync(List<StreamId> ids)
        {
            var descriptor = provider.Describe(Node.Node, Node.Epoch, []);
            test._registry.RegisterWal(descriptor.Id, Node);
            _wal = await provider.CreateAsync(descriptor, default);
            _store = new StreamStore(
                test._runtime, TestNode.Small with { UploadBytes = 300_000 },
                new StreamsComponents(Node, new NodeWals(_wal), test._bucket, test._registry, test._buffers));
            foreach (var id in ids)
            {
                var owner = new TestOwner();
                owner.Stream = await _store.OpenAsync(id, new StreamEpoch(turn), owner, default);
                Owners.Add(owner);
                RecoveredEnds.Add(id, owner.Stream.ConfirmOffset);
            }
        }

        public void Produce() => _producers = Task.WhenAll(Owners.Select(owner => Task.Run(() => ProduceAsync(owner))));

        public async Task StopAsync()
        {
            if (_stopping.IsCancellationRequested)
            {
                return;
            }

            _stopping.Cancel();
            await _producers;
            await _store!.DisposeAsync();
            await _wal!.DisposeAsync();
        }

        private async Task ProduceAsync(TestOwner owner)
        {
            try
            {
                while (!_stopping.IsCancellationRequested)
                {
                    using var permit = await owner.Stream.AdmitAsync(2000, _stopping.Token);
                    var offset = owner.Stream.NextOffset;
                    await AppendAsync(owner, permit);
                    lock (_acknowledged)
                    {
                        _acknowledged.Add((owner.Stream.Id, offset));
                    }
                }
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                // The test stops it.
            }
            catch (StreamException fenced)
            {
                Assert.Contains(fenced.Error, new[] { StreamError.Fenced, StreamError.WalFailed });
            }
        }

        private ValueTask AppendAsync(TestOwner owner, AppendPermit permit)
        {
            var frame = test._buffers.Rent(2000);
            TestNode.Fill(frame.GetSpan(), owner.Stream.Id, owner.Stream.NextOffset);
            try
            {
                return owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame), permit);
            }
            finally
            {
                frame.Release();
            }
        }
    }
}
