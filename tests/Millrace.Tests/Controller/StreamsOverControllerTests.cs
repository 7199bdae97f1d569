using System.Text;
using Millrace.Controller;
using Millrace.Controller.Nodes;
using Millrace.ObjectStorage.Memory;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Scenarios;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Upload;
using Millrace.Streams.Verification;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Memory;
using Millrace.Tests.Streams;
using Millrace.Tests.Streams.Recovery;
using Xunit;

namespace Millrace.Tests.Controller;

/// <summary>The stream store that ships over the controller that ships: lives that follow one another on one bucket.</summary>
public sealed class StreamsOverControllerTests : IAsyncDisposable
{
    private static readonly ClusterControllerOptions Quiet = new() { CollectionInterval = TimeSpan.FromDays(10) };

    private readonly MemoryObjectStorage _storage = new();
    private readonly BufferPool _buffers = new(maxIdleBytes: 8 << 20);
    private readonly RealNode _walKeeper = new();
    private readonly MemoryWalProvider _wals;

    public StreamsOverControllerTests() => _wals = new MemoryWalProvider(_walKeeper.Runtime);

    [Fact]
    public async Task What_was_acknowledged_survives_crashes_and_the_bucket_is_proved_whole()
    {
        StreamId stream;
        await using (var life = await Life.BeginAsync(this))
        {
            stream = await life.Controller.CreateAsync(life.Self, default);
            var owner = await life.OpenAsync(stream, epoch: 0);
            await life.AppendAsync(owner, 40);
            life.Store.Planner.AskForAll();
            await TestNode.UntilAsync(() => life.Controller.Controller.State.Streams.Streams[stream].CommittedEnd == 40);
            await life.AppendAsync(owner, 10);
        }

        for (var epoch = 1; epoch < 4; epoch++)
        {
            await using var life = await Life.BeginAsync(this);
            var waiting = Assert.Single(await life.Controller.GetWaitingWalsAsync(default));
            Assert.Equal([stream], waiting.Streams.Select(item => item.Stream));
            Assert.Equal(StreamError.Incomplete, (await Assert.ThrowsAsync<StreamException>(() => life.OpenAsync(stream, epoch))).Error);
            await life.RecoverAsync(waiting);

            var owner = await life.OpenAsync(stream, epoch);
            Assert.Equal(40 + (epoch * 10), owner.Stream.NextOffset);
            Assert.Equal(owner.Stream.NextOffset, (await ReadAllAsync(owner.Stream)).Count);
            await life.AppendAsync(owner, 10);
        }

        await using (var last = await Life.BeginAsync(this))
        {
            await last.RecoverAsync(Assert.Single(await last.Controller.GetWaitingWalsAsync(default)));
            var owner = await last.OpenAsync(stream, epoch: 4);
            await owner.Stream.TrimAsync(45, default);
            await last.StopAsync();
        }

        await using var after = await Life.BeginAsync(this);
        Assert.Empty(await after.Controller.GetWaitingWalsAsync(default));
        var final = await after.OpenAsync(stream, epoch: 5);
        Assert.Equal((45, 80), (final.Stream.StartOffset, final.Stream.NextOffset));
        await using var log = await after.Process.OpenLogAsync();
        var report = await new StoreVerifier(after.Process.Runtime, TestNode.Small, _storage).VerifyAsync(
            log.ToInventory(), _ => new(log.ToInventory()), default);
        Assert.Equal([], report.Problems);
        Assert.True(report.Records >= 35);
    }

    public async ValueTask DisposeAsync()
    {
        await _storage.DisposeAsync();
        _walKeeper.Dispose();
        _buffers.Dispose();
    }

    private static async Task<List<string>> ReadAllAsync(IStream stream)
    {
        var found = new List<string>();
        var offset = stream.StartOffset;
        while (offset < stream.ConfirmOffset)
        {
            using var read = await stream.ReadAsync(offset, 200, default);
            foreach (var record in read.Records)
            {
                Assert.Equal((offset, $"record {offset}"), (record.BaseOffset, Encoding.ASCII.GetString(record.Payload.Span)));
                found.Add($"{record.Epoch}");
                offset = record.EndOffset;
            }
        }

        return found;
    }

    /// <summary>One incarnation of a node; disposing it is a crash.</summary>
    private sealed class Life(StreamsOverControllerTests test, ControllerNode process, AskedController controller, NodeIncarnation self, IWriteAheadLog wal)
        : IAsyncDisposable
    {
        public ControllerNode Process => process;

        public AskedController Controller => controller;

        public NodeIncarnation Self => self;

        public StreamStore Store { get; } =
            new(process.Runtime, TestNode.Small, new StreamsComponents(self, new NodeWals(wal), test._storage, controller, test._buffers));

        public static async Task<Life> BeginAsync(StreamsOverControllerTests test)
        {
            var process = new ControllerNode(test._storage);
            var controller = await process.StartAsync(Quiet);
            var self = await controller.RegisterAsync(process.Registration, default);
            var descriptor = test._wals.Describe(self.Node, self.Epoch, []);
            await controller.RegisterWalAsync(self, descriptor, default);
            return new Life(test, process, controller, self, await test._wals.CreateAsync(descriptor, default));
        }

        public async Task RecoverAsync(WaitingWal waiting)
        {
            await using var recovery = await test._wals.TakeOverAsync(waiting.Wal, default);
            await new ShareRecoverer(process.Runtime, TestNode.Small, new UploadTarget(self, test._storage, controller, test._buffers))
                .RecoverShareAsync(recovery);
        }

        public async Task<TestOwner> OpenAsync(StreamId stream, long epoch)
        {
            var owner = new TestOwner();
            owner.Stream = await Store.OpenAsync(stream, new StreamEpoch(epoch), owner, default);
            return owner;
        }

        public async Task AppendAsync(TestOwner owner, int count)
        {
            for (var i = 0; i < count; i++)
            {
                var payload = Encoding.ASCII.GetBytes($"record {owner.Stream.NextOffset}");
                var permit = await owner.Stream.AdmitAsync(payload.Length, default);
                var frame = test._buffers.Rent(payload.Length);
                payload.CopyTo(frame.GetSpan());
                await owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame), permit);
                frame.Release();
            }
        }

        public async Task StopAsync()
        {
            await Store.CloseAsync(default);
            await controller.LeaveAsync(self, Store, default);
        }

        public async ValueTask DisposeAsync()
        {
            await Store.DisposeAsync();
            await wal.DisposeAsync();
            await process.DisposeAsync();
        }
    }
}
