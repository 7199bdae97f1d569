using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;
using Millrace.Tests.Streams.Recovery;
using Xunit;

namespace Millrace.Tests.Streams.Store;

/// <summary>
/// A node over a real WAL, for which memory fails once, at every place in turn where it takes any: while it appends, uploads, crashes and
/// is recovered. Whatever it does about that, an offset belongs to one record, and what it acknowledged is there afterwards.
/// </summary>
public sealed class FailingMemoryTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly int[] Sizes = [75, 9_000, 20_000, 75, 75, 40_000];

    [Fact]
    public async Task No_failed_allocation_of_appends_and_uploads_costs_an_acknowledged_record()
    {
        var place = 0;
        for (var reached = true; reached; place++)
        {
            var run = new Run();
            reached = await run.AppendAndCrashAsync(place);
            await run.RecoverAsync(failAt: -1);
            await run.CheckAsync();
        }

        Assert.InRange(place, 20, 2000);
    }

    [Fact]
    public async Task No_failed_allocation_of_a_recovery_costs_an_acknowledged_record()
    {
        var place = 0;
        for (var reached = true; reached; place++)
        {
            var run = new Run();
            await run.AppendAndCrashAsync(failAt: -1);
            reached = await run.RecoverAsync(place);
            await run.CheckAsync();
        }

        Assert.InRange(place, 3, 500);
    }

    private sealed class Run
    {
        private static readonly StreamsOptions Options = TestNode.Small with { UploadBytes = 100_000, RetryLimit = TimeSpan.FromMilliseconds(1) };
        private readonly TestRegistry _registry = new();
        private readonly TestStorage _storage = new();
        private readonly RealNode _machine = new();
        private readonly NodeIncarnation _node = new(new NodeId(1), new NodeEpoch(1));
        private readonly NodeIncarnation _next = new(new NodeId(1), new NodeEpoch(2));
        private readonly Dictionary<(StreamId, long), long> _acknowledged = [];
        private readonly List<StreamId> _streams = [];
        private readonly BufferPool _buffers;
        private WalDescriptor _descriptor = null!;
        private int _failAt = -1;
        private int _taken;

        public Run() => _buffers = new BufferPool(8 << 20) { Taking = Take };

        /// <summary>Returns whether it came to the place that was to fail.</summary>
        public async Task<bool> AppendAndCrashAsync(int failAt)
        {
            var wals = Wals();
            _descriptor = wals.Describe(_node.Node, _node.Epoch, []);
            _registry.RegisterWal(_descriptor.Id, _node);
            var wal = await wals.CreateAsync(_descriptor, default);
            var store = new StreamStore(_machine.Runtime, Options, new StreamsComponents(_node, new NodeWals(wal), _storage, _registry, _buffers));
            var owners = new List<TestOwner>();
            for (var i = 0; i < 2; i++)
            {
                var owner = new TestOwner { HasAnnex = false };
                owner.Stream = await store.OpenAsync(await _registry.CreateAsync(_node, default), new StreamEpoch(1), owner, default);
                owners.Add(owner);
                _streams.Add(owner.Stream.Id);
            }

            Arm(failAt);
            for (var number = 0; number < 30; number++)
            {
                await AppendAsync(owners[number % 2], Sizes[number % Sizes.Length], number);
            }

            var reached = Disarm();
            foreach (var owner in owners)
            {
                await AppendAsync(owner, Sizes[0], 1000);
            }

            await wal.DisposeAsync();
            await store.DisposeAsync().AsTask().WaitAsync(Patience);
            Assert.False(_machine.Runtime.Failed.IsCompleted);
            _registry.Fence(_node);
            return reached;
        }

        public async Task<bool> RecoverAsync(int failAt)
        {
            Arm(failAt);
            while (true)
            {
                try
                {
                    await using var recovery = await Wals().TakeOverAsync(_descriptor, default);
                    await new ShareRecoverer(_machine.Runtime, Options, new UploadTarget(_next, _storage, _registry, _buffers)).RecoverShareAsync(recovery);
                    return Disarm();
                }
                catch (OutOfMemoryException)
                {
                    // Once.
                }
            }
        }

        public async Task CheckAsync()
        {
            var wal = new TestWal(_next.Node, _next.Epoch);
            await using (var store = new StreamStore(_machine.Runtime, Options, new StreamsComponents(_next, new NodeWals(wal), _storage, _registry, _buffers)))
            {
                foreach (var id in _streams)
                {
                    var owner = new TestOwner();
                    var stream = owner.Stream = await store.OpenAsync(id, new StreamEpoch(2), owner, default);
                    for (var offset = 0L; offset < stream.ConfirmOffset;)
                    {
                        using var read = await stream.ReadAsync(offset, 100_000, default);
                        foreach (var record in read.Records)
                        {
                            Assert.Equal(offset, record.BaseOffset);
                            var number = BitConverter.ToInt64(record.Payload.Span);
                            Assert.Equal(_acknowledged.GetValueOrDefault((id, offset), number), number);
                            _acknowledged.Remove((id, offset));
                            offset = record.EndOffset;
                        }
                    }
                }
            }

            Assert.Empty(_acknowledged);
            await TestNode.UntilAsync(() => _buffers.RentedBytes == 0);
            await _storage.DisposeAsync();
            _buffers.Dispose();
            _machine.Dispose();
        }

        private async Task AppendAsync(TestOwner owner, int bytes, int number)
        {
            PooledBuffer? frame = null;
            try
            {
                frame = _buffers.Rent(bytes);
                using var permit = await owner.Stream.AdmitAsync(bytes, default).AsTask().WaitAsync(Patience);
                BitConverter.TryWriteBytes(frame.GetSpan(), (long)number);
                var offset = owner.Stream.NextOffset;
                await owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame), permit).AsTask().WaitAsync(Patience);
                Assert.True(_acknowledged.TryAdd((owner.Stream.Id, offset), number));
            }
            catch (Exception refused) when (refused is OutOfMemoryException or StreamException)
            {
                // Refused, or lost with its stream.
            }
            finally
            {
                frame?.Release();
            }
        }

        private RingWalProvider Wals() =>
            new RingWalProvider(
                _machine.Runtime, _buffers, new WalFolder(_machine.Runtime, Path.Combine(_machine.Folder, "wal"), new() { Capacity = 8 << 20 }), new());

        private void Arm(int failAt) => (_taken, _failAt) = (0, failAt);

        private bool Disarm()
        {
            var reached = _failAt >= 0 && Volatile.Read(ref _taken) > _failAt;
            _failAt = -1;
            return reached;
        }

        private void Take(long bytes)
        {
            if (_failAt >= 0 && Interlocked.Increment(ref _taken) == _failAt + 1)
            {
                throw new InsufficientMemoryException("The test has no more");
            }
        }
    }
}
