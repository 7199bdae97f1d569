using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Storage;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;
using Xunit;

namespace Millrace.Tests.Streams.Recovery;

/// <summary>
/// Stores that follow one another on one faulty bucket, in virtual time: each is killed, paused or left alive at any moment, its recovery of
/// the others included, and the next one must serve all that anybody acknowledged.
/// </summary>
public sealed class SimulatedTakeoverTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 25)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Whatever_was_acknowledged_is_served_by_whoever_comes_next(int seed)
    {
        using var kernel = new SimulationKernel((ulong)seed);
        var world = new World(kernel);
        kernel.Run(world.RunAsync);
        // The last one alone makes 60.
        Assert.True(world.Acknowledged.Count >= 60, $"{world.Acknowledged.Count} acknowledgements");
    }

    [Fact]
    public void The_same_seed_lives_the_same_life()
    {
        var lives = Enumerable.Range(0, 2).Select(_ =>
        {
            using var kernel = new SimulationKernel(99);
            var world = new World(kernel);
            kernel.Run(world.RunAsync);
            return (kernel.Steps, kernel.Now, world.Acknowledged.Count, kernel.Random.NextUInt64());
        }).ToList();
        Assert.Equal(lives[0], lives[1]);
    }

    private sealed class World(SimulationKernel kernel)
    {
        private const int Turns = 8;
        private readonly TestRegistry _registry = new();
        private readonly SimulatedBucket _bucket = new(kernel);
        private readonly List<StreamId> _streams = [];

        /// <summary>WALs that nobody has recovered yet, oldest first.</summary>
        public List<WalDescriptor> Waiting { get; } = [];

        public SortedSet<(long Stream, long Offset)> Acknowledged { get; } = [];

        public SimulationKernel Kernel => kernel;

        public TestRegistry Registry => _registry;

        public IReadOnlyList<StreamId> Streams => _streams;

        public async Task RunAsync()
        {
            for (var i = 0; i < 3; i++)
            {
                _streams.Add(await _registry.CreateAsync(default, default));
            }

            var zombies = new List<SimulatedNode>();
            for (var turn = 1; turn <= Turns; turn++)
            {
                // The last one lives in peace, and must have everything.
                _bucket.Weather = turn < Turns ? StorageWeather.Draw(kernel.Random) : StorageWeather.Calm;
                var node = new SimulatedNode(kernel, $"node{turn}", _ => null!);
                var life = new Life(this, turn, isLast: turn == Turns);
                _ = GuardAsync(node.Start(runtime => life.RunAsync(runtime, _bucket.Connect(node.Lane!))), life);
                var patience = kernel.Now + (turn < Turns ? kernel.Random.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60)) : TimeSpan.FromHours(1));
                while (kernel.Now < patience && life.AcknowledgedCount < 60)
                {
                    await kernel.Delay(TimeSpan.FromMilliseconds(50));
                }

                Part(node, zombies);
                _registry.Fence(life.Node);
                life.IsDeposed = true;
            }

            Assert.True(Waiting.Count == 1, "The last one recovers all the others' WALs");
            zombies.ForEach(zombie => zombie.Resume());
            await kernel.Delay(TimeSpan.FromMinutes(2));
        }

        private void Part(SimulatedNode node, List<SimulatedNode> zombies)
        {
            switch (kernel.Random.Next(0, 3))
            {
                case 0:
                    node.Kill();
                    break;
                case 1:
                    node.Pause();
                    zombies.Add(node);
                    break;
                default:
                    // It goes on, and does not know yet.
                    break;
            }
        }

        private async Task GuardAsync(Task running, Life life)
        {
            try
            {
                await running;
            }
            catch (StreamException) when (life.IsDeposed)
            {
                // What it must come to.
            }
            catch (Exception violation)
            {
                kernel.Fail(violation);
            }
        }
    }

    private sealed class Life(World world, int turn, bool isLast)
    {
        private readonly StreamsOptions _options = TestNode.Small with
        {
            UploadBytes = 20_000, UploadInterval = TimeSpan.FromSeconds(2), RetryDelay = TimeSpan.FromMilliseconds(50), RetryLimit = TimeSpan.FromSeconds(1),
        };

        public NodeIncarnation Node { get; } = new(new NodeId(1), new NodeEpoch(turn));

        public bool IsDeposed { get; set; }

        public int AcknowledgedCount { get; private set; }

        public async Task RunAsync(NodeRuntime runtime, SimulatedStorageClient storage)
        {
            var buffers = world.Kernel.NewBufferPool();
            var provider = new ObjectWalProvider(runtime, buffers, storage, new ObjectWalOptions());
            foreach (var descriptor in world.Waiting.ToList())
            {
                await using var recovery = await provider.TakeOverAsync(descriptor, default);
                await new ShareRecoverer(runtime, _options, new UploadTarget(Node, storage, world.Registry, buffers)).RecoverShareAsync(recovery);
                world.Waiting.Remove(descriptor);
            }

            var own = provider.Describe(Node.Node, Node.Epoch, []);
            world.Registry.RegisterWal(own.Id, Node);
            if (IsDeposed)
            {
                return;
            }

            world.Waiting.Add(own);
            var wal = await provider.CreateAsync(own, default);
            var store = new StreamStore(runtime, _options, new StreamsComponents(Node, new NodeWals(wal), storage, world.Registry, buffers));
            var owners = new List<TestOwner>();
            foreach (var id in world.Streams)
            {
                owners.Add(await OpenAsync(store, id));
            }

            foreach (var owner in owners)
            {
                await CheckAsync(owner, isLast ? 0 : world.Kernel.Random.Next(0, (int)owner.Stream.ConfirmOffset + 1));
            }

            await Task.WhenAll(owners.Select(owner => ProduceAsync(owner, buffers)));
        }

        private async Task<TestOwner> OpenAsync(StreamStore store, StreamId id)
        {
            var owner = new TestOwner();
            while (true)
            {
                try
                {
                    owner.Stream = await store.OpenAsync(id, new StreamEpoch(turn), owner, default);
                    return owner;
                }
                catch (StreamException failure) when (failure.Error == StreamError.StorageUnavailable)
                {
                    // As a partition does: the call can be repeated.
                }
            }
        }

        private async Task ProduceAsync(TestOwner owner, BufferPool buffers)
        {
            while (true)
            {
                var bytes = world.Kernel.Random.Next(1, 3000);
                using var permit = await owner.Stream.AdmitAsync(bytes, default);
                var offset = owner.Stream.NextOffset;
                var frame = buffers.Rent(bytes);
                TestNode.Fill(frame.GetSpan(), owner.Stream.Id, offset);
                var append = owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame), permit).AsTask();
                frame.Release();
                await append;
                if (!world.Acknowledged.Add((owner.Stream.Id.Value, offset)))
                {
                    throw new InvariantViolationException($"Offset {offset} of stream {owner.Stream.Id} was acknowledged twice");
                }

                AcknowledgedCount++;
                if (world.Kernel.Random.Chance(0.1))
                {
                    await CheckAsync(owner, world.Kernel.Random.Next(0, (int)owner.Stream.ConfirmOffset));
                }
            }
        }

        // Records are dense and one offset each, so that what was acknowledged is there if reading meets no gap up to the end.
        private async Task CheckAsync(TestOwner owner, long offset)
        {
            var highest = world.Acknowledged.GetViewBetween((owner.Stream.Id.Value, 0), (owner.Stream.Id.Value, long.MaxValue));
            if (highest.Count > 0 && !IsDeposed && highest.Max.Offset >= owner.Stream.ConfirmOffset)
            {
                throw new InvariantViolationException(
                    $"Stream {owner.Stream.Id} ends at {owner.Stream.ConfirmOffset}, and {highest.Max.Offset} was acknowledged");
            }

            var confirmed = owner.Stream.ConfirmOffset;
            for (var next = offset; next < confirmed;)
            {
                StreamRead read;
                try
                {
                    read = await owner.Stream.ReadAsync(next, 5000, default);
                }
                catch (StreamException failure) when (failure.Error == StreamError.StorageUnavailable)
                {
                    continue;
                }

                foreach (var record in read.Records)
                {
                    Assert.Equal(next, record.BaseOffset);
                    TestNode.CheckBytes(record);
                    next = record.EndOffset;
                }

                read.Dispose();
            }
        }
    }
}
