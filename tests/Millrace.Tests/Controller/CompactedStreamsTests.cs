using System.Buffers;
using System.Text;
using CsCheck;
using Millrace.Controller;
using Millrace.Controller.Clients;
using Millrace.Controller.Objects;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Simulation.Scenarios;
using Millrace.Streams;
using Millrace.Streams.Compaction;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Upload;
using Millrace.Streams.Verification;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Memory;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Controller;

/// <summary>
/// The stream store and object compaction that ship over the controller that ships: what was appended is read, whatever was merged meanwhile.
/// </summary>
public sealed class CompactedStreamsTests
{
    [Fact]
    public Task Whatever_is_uploaded_trimmed_deleted_and_merged_what_was_appended_is_read_and_the_bucket_is_proved_whole() =>
        Gen.Int[0, 11].Select(Gen.Int[0, 999]).Array[1, 80].SampleAsync(
            async steps =>
            {
                await using var world = await World.BeginAsync(withAnnexes: true);
                foreach (var (kind, number) in steps)
                {
                    await world.StepAsync(kind, number);
                }

                await world.UploadAsync();
                await world.CheckAsync();
                await world.VerifyAsync();
                await world.DeleteAllAsync();
                Assert.Empty(await world.KeysAsync());
            },
            iter: 150,
            threads: 1);

    [Fact]
    public async Task A_stream_that_trickles_lies_in_few_objects_however_long_it_does_and_readers_go_on()
    {
        await using var world = await World.BeginAsync(withAnnexes: false);
        for (var round = 0; round < 60; round++)
        {
            for (var stream = 0; stream < World.Streams; stream++)
            {
                await world.AppendAsync(stream, 2);
            }

            await world.UploadAsync();
            while (await world.Compactor.CompactAsync(default))
            {
                await world.CollectAsync();
            }
        }

        await world.CheckAsync();
        await world.VerifyAsync();
        Assert.All(world.RangeCounts(), count => Assert.InRange(count, 1, 12));
        Assert.InRange((await world.KeysAsync()).Count, 1, 20);
        // Owners have heard of it by what they commit.
        Assert.All(world.KnownRangeCounts(), count => Assert.InRange(count, 1, 24));
    }

    [Fact]
    public async Task A_checkpoint_goes_along_though_its_records_are_gone_and_the_object_it_lay_in_is_needed_no_more()
    {
        await using var world = await World.BeginAsync(withAnnexes: false);
        await world.AppendAsync(0, 3);
        for (var round = 0; round < 3; round++)
        {
            await world.AppendAsync(1, 2);
            await world.AppendAsync(2, 2);
            await world.UploadAsync();
            if (round == 0)
            {
                await world.TrimAsync(0, 3);
            }
        }

        Assert.Equal(3, (await world.KeysAsync()).Count);
        Assert.True(await world.Compactor.CompactAsync(default));
        await world.CollectAsync();

        Assert.Single(await world.KeysAsync());
        await world.VerifyAsync();
        await world.ReopenAsync(0);
        await world.CheckAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_damaged_object_or_stream_stays_where_it_is_and_the_others_are_merged(bool damagesIndex)
    {
        await using var world = await World.BeginAsync(withAnnexes: false);
        for (var round = 0; round < 3; round++)
        {
            for (var stream = 0; stream < World.Streams; stream++)
            {
                await world.AppendAsync(stream, 2);
            }

            await world.UploadAsync();
        }

        await world.DamageAsync(damagesIndex);
        await world.Compactor.CompactAsync(default);

        // Without the first object two are merged; without one stream of it the others are, of all three.
        Assert.Equal(damagesIndex ? [2, 2, 2] : [3, 1, 1], world.RangeCounts());
    }

    [Fact]
    public async Task A_node_that_has_something_better_to_do_ends_a_job_before_its_next_object()
    {
        await using var world = await World.BeginAsync(withAnnexes: false);
        for (var round = 0; round < 3; round++)
        {
            await world.AppendAsync(0, 8, payload: 80);
            await world.AppendAsync(1, 8, payload: 80);
            await world.UploadAsync();
        }

        world.IsBusy = () => world.RangeCounts().Contains(1);
        Assert.False(await world.Compactor.CompactAsync(default));
        Assert.Equal([1, 3], world.RangeCounts().Take(2).Order());
    }

    [Fact]
    public async Task Nothing_of_a_deleted_topic_stays_in_the_bucket_though_it_lies_beside_one_that_is_large_and_idle()
    {
        await using var world = await World.BeginAsync(withAnnexes: false);
        await world.AppendAsync(0, 2);
        await world.AppendAsync(1, 10, payload: 100);
        await world.UploadAsync();
        Assert.Single(await world.KeysAsync());
        Assert.False(await world.Compactor.CompactAsync(default));
        Assert.NotEmpty(await world.KeysWithAsync("t0 "));

        await world.DeleteAsync(0);
        await world.CreateAsync(0);
        await world.CollectAsync();
        Assert.NotEmpty(await world.KeysWithAsync("t0 "));
        Assert.True(await world.Compactor.CompactAsync(default));
        await world.CollectAsync();

        Assert.Empty(await world.KeysWithAsync("t0 "));
        Assert.Single(await world.KeysWithAsync("t1 "));
        Assert.False(await world.Compactor.CompactAsync(default));
        await world.CheckAsync();
        await world.VerifyAsync();
        await world.ReopenAsync(1);
        await world.CheckAsync();
    }

    [Fact]
    public async Task What_a_merge_has_read_and_written_is_counted_against_the_next_one_too()
    {
        const int Rate = 5_000;
        await using var world = await World.BeginAsync(withAnnexes: false, Rate);
        for (var round = 0; round < 3; round++)
        {
            await world.AppendAsync(0, 8, payload: 80);
            await world.UploadAsync();
        }

        // Indexes, blocks, and what becomes of them.
        var owed = await world.BytesAsync() + (3 * 8 * 80);
        var begun = TimeProvider.System.GetTimestamp();
        Assert.True(await world.Compactor.CompactAsync(default));
        await world.CollectAsync();
        owed += await world.BytesAsync();
        for (var round = 0; round < 3; round++)
        {
            await world.AppendAsync(1, 1);
            await world.UploadAsync();
        }

        Assert.True(await world.Compactor.CompactAsync(default));

        Assert.True(TimeProvider.System.GetElapsedTime(begun) > 0.95 * TimeSpan.FromSeconds((double)owed / Rate));
    }

    [Fact]
    public async Task A_fault_that_nobody_expected_ends_a_job_and_not_the_node()
    {
        await using var world = await World.BeginAsync(withAnnexes: false);
        for (var round = 0; round < 3; round++)
        {
            await world.AppendAsync(0, 2);
            await world.UploadAsync();
        }

        world.IsBusy = () => throw new OverflowException();
        Assert.False(await world.Compactor.CompactAsync(default));
        world.IsBusy = () => throw new InvariantViolationException("broken");
        Assert.False(await world.Compactor.CompactAsync(default));
        world.EndRest();

        await Assert.ThrowsAsync<InvariantViolationException>(() => world.Compactor.CompactAsync(default));
    }

    /// <summary>A cluster of one, with a topic of one partition for each stream.</summary>
    private sealed class World : IAsyncDisposable
    {
        public const int Streams = 3;

        private static readonly ClusterControllerOptions Options = new()
        {
            CollectionInterval = TimeSpan.FromDays(10),
            DeletionDelay = TimeSpan.Zero,
            CompactionFanIn = 3,
            CompactedRangeBytes = 700,
        };

        private static readonly StreamsOptions Small = TestNode.Small with
        {
            BlockCacheBytes = 4_000, CompactedObjectBytes = 3_000, StreamObjectBytes = 2_000,
        };

        private readonly MemoryObjectStorage _storage;
        private readonly BufferPool _buffers;
        private readonly ControllerNode _process;
        private readonly AskedController _controller;
        private readonly NodeIncarnation _self;
        private readonly RealNode _walKeeper;
        private readonly IWriteAheadLog _wal;
        private readonly StreamStore _store;
        private readonly CompactionMetrics _metrics = new();
        private readonly ObjectCollector _collector;
        private readonly TestOwner[] _owners = new TestOwner[Streams];
        private readonly string[] _topics = new string[Streams];
        private readonly long[] _starts = new long[Streams];
        private int _made;
        private bool _withAnnexes;

        private World(
            MemoryObjectStorage storage, BufferPool buffers, ControllerNode process, AskedController controller, NodeIncarnation self, RealNode walKeeper,
            IWriteAheadLog wal, long bytesPerSecond)
        {
            (_storage, _buffers, _process, _controller, _self, _walKeeper, _wal) = (storage, buffers, process, controller, self, walKeeper, wal);
            _store = new StreamStore(process.Runtime, Small, new StreamsComponents(self, new NodeWals(wal), storage, controller, buffers));
            _collector = new ObjectCollector(process.Runtime, storage, controller.Controller, Options);
            Compactor = new ObjectCompactor(
                process.Runtime, Small with { CompactionBytesPerSecond = bytesPerSecond },
                new UploadTarget(self, storage, controller, buffers), new CompactionRegistry(controller.Channel, self), () => IsBusy(),
                _metrics);
        }

        public ObjectCompactor Compactor { get; }

        public Func<bool> IsBusy { get; set; } = () => false;

        public static async Task<World> BeginAsync(bool withAnnexes, long bytesPerSecond = 1L << 40)
        {
            var storage = new MemoryObjectStorage();
            var process = new ControllerNode(storage);
            var controller = await process.StartAsync(Options);
            var self = await controller.RegisterAsync(process.Registration, default);
            var walKeeper = new RealNode();
            var wals = new MemoryWalProvider(walKeeper.Runtime);
            var descriptor = wals.Describe(self.Node, self.Epoch, []);
            await controller.RegisterWalAsync(self, descriptor, default);
            var world = new World(
                storage,
                new BufferPool(maxIdleBytes: 8 << 20) { Poisons = true },
                process, controller, self, walKeeper, await wals.CreateAsync(descriptor, default), bytesPerSecond);
            world._withAnnexes = withAnnexes;
            for (var stream = 0; stream < Streams; stream++)
            {
                await world.CreateAsync(stream);
            }

            return world;
        }

        public async Task StepAsync(int kind, int number)
        {
            var stream = number % Streams;
            switch (kind)
            {
                case 0 or 1 or 2:
                    await AppendAsync(stream, 1 + number % 9, payload: number % 5 == 0 ? 300 : 20);
                    break;
                case 3 or 4 or 5:
                    await UploadAsync();
                    break;
                case 6 or 7:
                    await Compactor.CompactAsync(default);
                    break;
                case 8:
                    await CollectAsync();
                    break;
                case 9:
                    await TrimAsync(stream, Math.Min(_owners[stream].Stream.NextOffset * (number % 11) / 10, _owners[stream].Stream.NextOffset));
                    break;
                case 10:
                    await ReopenAsync(stream);
                    break;
                default:
                    await DeleteAsync(stream);
                    await CreateAsync(stream);
                    break;
            }

            if (number % 3 == 0)
            {
                await CheckAsync();
            }
        }

        public async Task AppendAsync(int stream, int count, int payload = 20)
        {
            for (var i = 0; i < count; i++)
            {
                var owner = _owners[stream];
                var bytes = Payload(stream, owner.Stream.NextOffset, payload);
                var permit = await owner.Stream.AdmitAsync(bytes.Length, default);
                var frame = _buffers.Rent(bytes.Length);
                bytes.CopyTo(frame.GetSpan());
                await owner.AppendAsync(new StreamAppend(1, owner.Stream.NextOffset, frame.Memory, frame), permit);
                frame.Release();
            }
        }

        /// <summary>Of all streams together.</summary>
        public async Task UploadAsync() =>
            await _store.UploadAsync([.. _owners.Select(owner => new UploadGoal(owner.Stream, owner.Stream.NextOffset))], default);

        public async Task TrimAsync(int stream, long offset)
        {
            _starts[stream] = Math.Max(_starts[stream], offset);
            await _owners[stream].Stream.TrimAsync(_starts[stream], default);
        }

        public async Task CollectAsync()
        {
            await _collector.CollectAsync(default);
            await _collector.CollectAsync(default);
        }

        public async Task CheckAsync()
        {
            for (var stream = 0; stream < Streams; stream++)
            {
                var opened = _owners[stream].Stream;
                Assert.Equal(_starts[stream], opened.StartOffset);
                var offset = opened.StartOffset;
                while (offset < opened.ConfirmOffset)
                {
                    using var read = await opened.ReadAsync(offset, 200, default);
                    Assert.NotEmpty(read.Records);
                    foreach (var record in read.Records)
                    {
                        Assert.Equal(offset, record.BaseOffset);
                        Assert.Equal(Payload(stream, offset, record.Payload.Length), record.Payload.ToArray());
                        offset = record.EndOffset;
                    }
                }

                var middle = (opened.StartOffset + opened.ConfirmOffset) / 2;
                using var found = await opened.FindByTimestampAsync(middle, opened.StartOffset, default);
                Assert.Equal(middle < opened.ConfirmOffset ? middle : null, found?.Records[0].BaseOffset);
            }
        }

        public async Task VerifyAsync()
        {
            var report = await new StoreVerifier(_process.Runtime, Small, _storage).VerifyAsync(
                _controller.Controller.State.Streams.ToInventory(), _ => new(_controller.Controller.State.Streams.ToInventory()), default);
            Assert.Equal([], report.Problems);
        }

        public async Task DeleteAllAsync()
        {
            for (var stream = 0; stream < Streams; stream++)
            {
                await DeleteAsync(stream);
            }

            await CollectAsync();
        }

        public async Task<IReadOnlyList<string>> KeysAsync() =>
            [.. (await _storage.ListAsync(DataObjectKey.Prefix, null, 1_000, default)).Select(entry => entry.Key)];

        /// <summary>The objects that hold some text.</summary>
        public async Task<IReadOnlyList<string>> KeysWithAsync(string text)
        {
            var found = new List<string>();
            foreach (var key in await KeysAsync())
            {
                if ((await _storage.GetAsync(key, default)).AsSpan().IndexOf(Encoding.ASCII.GetBytes(text)) >= 0)
                {
                    found.Add(key);
                }
            }

            return found;
        }

        /// <summary>Of all objects.</summary>
        public async Task<long> BytesAsync() =>
            (await _storage.ListAsync(DataObjectKey.Prefix, null, 1_000, default)).Sum(entry => entry.Size);

        /// <summary>A bit of the first object: of its index, or of what it has of the first stream.</summary>
        public async Task DamageAsync(bool ofIndex)
        {
            var key = (await KeysAsync())[0];
            var bytes = (await _storage.GetAsync(key, default))!;
            bytes[ofIndex ? ^40 : 30] ^= 1;
            await _storage.PutAsync(key, new ReadOnlySequence<byte>(bytes), default);
        }

        /// <summary>What came to nothing is given out again.</summary>
        public void EndRest() => _process.Time.Advance(Options.CompactionPatience);

        public IEnumerable<int> RangeCounts() => _owners.Select(owner => _controller.Controller.State.Streams.Streams[owner.Stream.Id].Ranges.Count);

        public IEnumerable<int> KnownRangeCounts() => _store.Streams.Select(stream => stream.Core.Ranges.Count);

        public async Task ReopenAsync(int stream)
        {
            var former = _owners[stream].Stream;
            await former.HandOverAsync(default);
            await OpenAsync(stream);
            Assert.Equal((former.NextOffset, former.StartOffset), (_owners[stream].Stream.NextOffset, _owners[stream].Stream.StartOffset));
            if (former.NextOffset > 0)
            {
                Assert.Equal($"state {former.NextOffset}", Encoding.ASCII.GetString(_owners[stream].Stream.Checkpoint!.Value.State.Span));
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _collector.DisposeAsync();
            await _metrics.DisposeAsync();
            await _store.DisposeAsync();
            await _wal.DisposeAsync();
            await _process.DisposeAsync();
            await _storage.DisposeAsync();
            _walKeeper.Dispose();
            // What was being read ahead has to hear of the end.
            await TestNode.UntilAsync(() => _buffers.RentedBytes == 0);
            _buffers.Dispose();
        }

        public async Task CreateAsync(int stream)
        {
            var name = _topics[stream] = $"t{_made++}";
            var topic = new CreateTopicsRequest.CreatableTopic { Name = name, NumPartitions = 1, ReplicationFactor = 1 };
            var response = await _controller.CreateTopicsAsync(new CreateTopicsRequest { Topics = [topic] }, default);
            Assert.Equal((short)ErrorCode.None, response.Topics[0].ErrorCode);
            _starts[stream] = 0;
            await OpenAsync(stream);
        }

        public async Task DeleteAsync(int stream)
        {
            var response = await _controller.DeleteTopicsAsync(
                new DeleteTopicsRequest { Topics = [new DeleteTopicsRequest.DeleteTopicState { Name = _topics[stream] }] }, default);
            Assert.Equal((short)ErrorCode.None, response.Responses[0].ErrorCode);
            _owners[stream].Stream.Lose(new StreamException(StreamError.Unknown, "deleted"));
        }

        private async Task OpenAsync(int stream)
        {
            var partition = _controller.Controller.State.Cluster.Topics[_topics[stream]].Partitions[0];
            // One of them keeps something with each of its ranges.
            var owner = new TestOwner { HasAnnex = _withAnnexes && stream == 2 };
            owner.Stream = await _store.OpenAsync(partition.Stream, partition.Epoch, owner, default);
            _owners[stream] = owner;
        }

        private byte[] Payload(int stream, long offset, int bytes) => Encoding.ASCII.GetBytes($"{_topics[stream]} {offset} ".PadRight(bytes));
    }
}
