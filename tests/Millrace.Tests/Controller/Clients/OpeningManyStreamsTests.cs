using Millrace.Controller;
using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Scenarios;
using Millrace.Simulation.Storage;
using Millrace.Streams;
using Millrace.Streams.Cache;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;
using Millrace.Tests.ObjectStorage;
using Millrace.Tests.Streams;
using Millrace.Tests.Streams.Recovery;
using Xunit;

namespace Millrace.Tests.Controller.Clients;

/// <summary>
/// A node that is given a thousand streams at once, in virtual time, over a store that takes its time: in objects, in a WAL, and with checkpoints of
/// their owners.
/// </summary>
public sealed class OpeningManyStreamsTests
{
    private const int Count = 1_000;

    [Fact]
    public void A_thousand_streams_open_in_a_few_requests_to_the_controller_and_reads_of_the_store_and_replay_from_what_was_recovered()
    {
        using var kernel = new SimulationKernel(1);
        var world = new World(kernel);
        kernel.Run(world.RunAsync);

        // Whether they are open already is asked first.
        Assert.InRange(world.RequestsToOpen, 2, 6);
        Assert.InRange(world.EntriesToOpen, 1, 3);
        Assert.InRange(world.ReadsToOpen, 1, 12);
        Assert.Equal(0, world.ReadsToReplay);
    }

    private sealed class World(SimulationKernel kernel)
    {
        private readonly SimulatedBucket _bucket = new(kernel) { Weather = StorageWeather.Calm };
        private StreamId[] _streams = [];

        public long RequestsToOpen { get; private set; }

        public long EntriesToOpen { get; private set; }

        public long ReadsToOpen { get; private set; }

        public long ReadsToReplay { get; private set; }

        public async Task RunAsync()
        {
            var first = new SimulatedNode(kernel, "first", _ => null!);
            await first.Start(runtime => LiveAsync(runtime, first.Lane!, FillAsync));
            first.Kill();
            var second = new SimulatedNode(kernel, "second", _ => null!);
            await second.Start(runtime => LiveAsync(runtime, second.Lane!, TakeOverAsync));
            second.Kill();
        }

        private async Task LiveAsync(NodeRuntime runtime, Lane lane, Func<Life, Task> act)
        {
            var storage = new CountedStorage(_bucket.Connect(lane));
            var registration = new NodeRegistration(runtime.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "host", 9092)], null) { Name = "node" };
            var log = await MetadataLog.OpenAsync(runtime, storage, new MetadataLogOptions(), default);
            CountedLink? link = null;
            var controller = await AskedController.TryStartAsync(
                runtime, log, storage, new ControllerSeal { IncarnationId = registration.Incarnation, Host = "host" }, new ClusterControllerOptions(),
                // As from another process: what is answered at once is asked one by one.
                inner => link = new CountedLink(inner)
                {
                    Before = _ => new ValueTask(Task.Delay(TimeSpan.FromMilliseconds(1), runtime.Time, CancellationToken.None)),
                });
            await act(await Life.BeginAsync(kernel.NewBufferPool(), runtime, storage, controller!, link!, registration));
        }

        private async Task FillAsync(Life life)
        {
            _streams = await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => life.Controller.CreateAsync(life.Self, default).AsTask()));
            var store = await life.StartAsync();
            var owners = await OpenAsync(store, epoch: 0);
            for (var i = 0; i < 3; i++)
            {
                await Task.WhenAll(owners.Select(life.AppendAsync));
                if (i == 1)
                {
                    await store.UploadAsync([.. owners.Select(owner => new UploadGoal(owner.Stream, owner.Stream.NextOffset))], default);
                }
            }
        }

        private async Task TakeOverAsync(Life life)
        {
            await life.RecoverAsync();
            var store = await life.StartAsync();
            var (requests, entries, reads) = (life.Link.Requests, life.Storage.Entries, life.Storage.Reads);
            var owners = await OpenAsync(store, epoch: 1);
            (RequestsToOpen, EntriesToOpen, ReadsToOpen) = (life.Link.Requests - requests, life.Storage.Entries - entries, life.Storage.Reads - reads);

            reads = life.Storage.Reads;
            await Task.WhenAll(owners.Select(async owner =>
            {
                Assert.Equal((2, 3), (owner.Stream.Checkpoint!.Value.Offset, owner.Stream.ConfirmOffset));
                Assert.Equal([2], await TestNode.ReadAllAsync(owner.Stream, owner.Stream.Checkpoint.Value.Offset));
            }));
            ReadsToReplay = life.Storage.Reads - reads;
        }

        private async Task<TestOwner[]> OpenAsync(StreamStore store, long epoch) => await Task.WhenAll(_streams.Select(async id =>
        {
            var owner = new TestOwner();
            owner.Stream = await store.OpenAsync(id, new StreamEpoch(epoch), owner, default);
            return owner;
        }));
    }

    /// <summary>An incarnation of the node, whose process is the controller too.</summary>
    private sealed class Life(
        NodeRuntime runtime, BufferPool buffers, CountedStorage storage, AskedController controller, CountedLink link, NodeIncarnation self)
    {
        private static readonly StreamsOptions Options = TestNode.Small with
        {
            StreamObjectBytes = 1 << 20, UploadBytes = 16 << 20, NotUploadedBytes = 64 << 20,
        };

        public AskedController Controller => controller;

        public CountedLink Link => link;

        public CountedStorage Storage => storage;

        public NodeIncarnation Self => self;

        // Goes with the node.
        private readonly ObjectCache _cache = new(runtime, Options, storage, buffers);

        private ObjectWalProvider Wals => new(runtime, buffers, storage, new());

        public static async Task<Life> BeginAsync(
            BufferPool buffers, NodeRuntime runtime, CountedStorage storage, AskedController controller, CountedLink link, NodeRegistration registration) =>
            new(runtime, buffers, storage, controller, link, await controller.RegisterAsync(registration, default));

        public async Task<StreamStore> StartAsync()
        {
            var descriptor = Wals.Describe(self.Node, self.Epoch, []);
            await controller.RegisterWalAsync(self, descriptor, default);
            var wal = await Wals.CreateAsync(descriptor, default);
            return new StreamStore(runtime, Options, new StreamsComponents(self, new NodeWals(wal), storage, controller, buffers, _cache));
        }

        public async Task RecoverAsync()
        {
            var waiting = Assert.Single(await controller.GetWaitingWalsAsync(default));
            await using var recovery = await Wals.TakeOverAsync(waiting.Wal, default);
            var target = new UploadTarget(self, storage, controller, buffers);
            await new ShareRecoverer(runtime, Options, target, _cache).RecoverShareAsync(recovery);
        }

        public async Task AppendAsync(TestOwner owner)
        {
            using var permit = await owner.Stream.AdmitAsync(100, default);
            var frame = buffers.Rent(100);
            TestNode.Fill(frame.GetSpan(), owner.Stream.Id, owner.Stream.NextOffset);
            var append = owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame), permit).AsTask();
            frame.Release();
            await append;
        }
    }
}
