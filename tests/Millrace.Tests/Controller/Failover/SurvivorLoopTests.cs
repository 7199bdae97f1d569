using System.Text;
using Millrace.Controller.Clients;
using Millrace.Controller.Failover;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Runtime.Buffers;
using Millrace.Simulation.Scenarios;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Controller.Failover;

/// <summary>Survivors that bring their shares while they live, over the controller that ships.</summary>
public sealed class SurvivorLoopTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly MemoryObjectStorage _storage = new();
    private readonly BufferPool _buffers = new(maxIdleBytes: 8 << 20);
    private readonly ControllerNode _process;
    private readonly CancellationTokenSource _ending = new();
    private readonly List<Task> _loops = [];

    public SurvivorLoopTests() => _process = new ControllerNode(_storage);

    private ObjectWalProvider Wals => new(_process.Runtime, _buffers, _storage, new ObjectWalOptions());

    [Fact]
    public async Task All_survivors_bring_their_shares_at_once_and_the_last_one_gives_the_WAL_back()
    {
        var controller = await _process.StartAsync();
        var (gone, wal) = await RegisterAsync(controller, "gone");
        var topic = await FillAsync(controller, gone, wal, partitions: 9);
        NodeIncarnation[] survivors = [.. await Task.WhenAll(new[] { "a", "b", "c" }.Select(async name => (await RegisterAsync(controller, name)).Node))];
        foreach (var survivor in survivors)
        {
            Begin(controller, survivor, Wals);
        }

        await controller.Controller.FenceAsync(gone, default);

        var image = await UntilAsync(controller, image => Led(image, topic) && !image.Wals.ContainsKey(wal.Descriptor.Id));
        Assert.Equal(
            survivors.Select(survivor => (survivor.Node, 3)),
            image.Topics[topic].Partitions.CountBy(partition => partition.Leader!.Value).OrderBy(led => led.Key).Select(led => (led.Key, led.Value)));
        foreach (var partition in image.Topics[topic].Partitions)
        {
            Assert.Equal(partition.Index + 1, await controller.GetCommittedEndAsync(partition.Stream, default));
        }
    }

    [Fact]
    public async Task A_medium_that_refuses_in_passing_is_tried_again()
    {
        var controller = await _process.StartAsync();
        var (gone, wal) = await RegisterAsync(controller, "gone");
        var topic = await FillAsync(controller, gone, wal, partitions: 1);
        var (survivor, _) = await RegisterAsync(controller, "survivor");
        var takeover = new Moody(Wals, refusals: 1);
        Begin(controller, survivor, takeover);

        await controller.Controller.FenceAsync(gone, default);

        await UntilAsync(controller, image => Led(image, topic));
        Assert.Equal(2, takeover.Calls);
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        foreach (var loop in _loops)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        }

        await _process.DisposeAsync();
        await _storage.DisposeAsync();
        _buffers.Dispose();
        _ending.Dispose();
    }

    private static bool Led(MetadataImage image, string topic) => image.Topics[topic].Partitions.All(partition => partition.Leader is not null);

    private static async Task<MetadataImage> UntilAsync(AskedController controller, Func<MetadataImage, bool> holds) =>
        await controller.Metadata.WaitAsync(holds, default).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);

    private async Task<(NodeIncarnation Node, IWriteAheadLog Wal)> RegisterAsync(AskedController controller, string name)
    {
        var node = await controller.RegisterAsync(
            new NodeRegistration(_process.Runtime.NewId(), [new NodeEndpoint(ListenerName.Plaintext, name, 9092)], null) { Name = name }, default);
        var descriptor = Wals.Describe(node.Node, node.Epoch, []);
        await controller.RegisterWalAsync(node, descriptor, default);
        return (node, await Wals.CreateAsync(descriptor, default));
    }

    /// <summary>Makes a topic whose partitions all have records in a WAL, each one more than the one before, and no object that holds them.</summary>
    private static async Task<string> FillAsync(AskedController controller, NodeIncarnation leader, IWriteAheadLog wal, int partitions)
    {
        await controller.CreateTopicsAsync(
            new CreateTopicsRequest { Topics = [new() { Name = "t", NumPartitions = partitions, ReplicationFactor = 1 }] }, default);
        foreach (var partition in controller.Metadata.Image.Topics["t"].Partitions)
        {
            Assert.Equal(leader.Node, partition.Leader);
            await controller.OpenAsync(leader, partition.Stream, partition.Epoch, default);
            for (var offset = 0; offset <= partition.Index; offset++)
            {
                await wal.AppendAsync(new StreamRecord(partition.Stream, partition.Epoch, offset, 1, -1, Encoding.ASCII.GetBytes($"record {offset}")), out _);
            }
        }

        return "t";
    }

    private void Begin(AskedController controller, NodeIncarnation survivor, IWalTakeover wals)
    {
        var nodes = new NodeRegistry(_process.Runtime, controller.Channel);
        var target = new UploadTarget(survivor, _storage, new StreamRegistry(controller.Channel, survivor), _buffers);
        var recoverer = new ShareRecoverer(_process.Runtime, TestNode.Small, target);
        var recovery = new ShareTakeover(_process.Runtime, nodes, survivor, recoverer, new RecoveryMetrics(), _ => wals);
        var loop = new SurvivorLoop(_process.Runtime, survivor, recovery, new AcceptedLosses(_process.Runtime, nodes, survivor, []));
        _loops.Add(Task.Run(() => loop.RunAsync(controller.Metadata, _ending.Token)));
    }

    /// <summary>A medium that refuses at first.</summary>
    private sealed class Moody(IWalTakeover wals, int refusals) : IWalTakeover
    {
        public int Calls { get; private set; }

        public ValueTask<ISealedWal> TakeOverAsync(WalDescriptor descriptor, CancellationToken token) =>
            ++Calls <= refusals
                ? throw new WalUnavailableException(descriptor, "It is busy.", new IOException("It is busy."))
                : wals.TakeOverAsync(descriptor, token);

        public ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token) => wals.DiscardAsync(descriptor, token);
    }
}
