using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Streams.Wal.Ring;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Media.Block;

/// <summary>A host that names a device by mistake does not take it from the one that writes it.</summary>
public sealed class HeldDeviceTests : IAsyncLifetime
{
    private static readonly NodeId Node = new(7);
    private static readonly NodeEpoch Epoch = new(3);
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(1);

    private readonly RealNode _machine = new();
    private readonly BufferPool _pool = new(16 << 20);
    private readonly ReservedDevice _shared = new();
    private readonly List<NodeRuntime> _runtimes = [];
    private IWriteAheadLog _held = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Device => Path.Combine(_machine.Folder, "device");

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllBytesAsync(Device, new byte[BlockDeviceOptions.SmallestCapacity], Token);
        var provider = await ProviderAsync(host: 1, "its cluster");
        _held = await provider.CreateAsync(provider.Describe(Node, Epoch, []), Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _held.DisposeAsync();
        _runtimes.ForEach(runtime => runtime.Dispose());
        _machine.Dispose();
        _pool.Dispose();
    }

    [Fact]
    public async Task One_of_another_cluster_is_refused_before_it_is_taken()
    {
        var other = await ProviderAsync(host: 2, "another cluster");
        var wal = other.Describe(Node, Epoch, []);
        await AssertRefusedAsync("of cluster its cluster, and this is", () => other.CreateAsync(wal, Token).AsTask());
        await AssertRefusedAsync("is not the WAL of that node", () => other.TakeOverAsync(wal, Token).AsTask());
    }

    [Theory]
    [InlineData(4, "another version of Millrace wrote it")]
    [InlineData(20, "bears no label of a WAL")]
    [InlineData(0, "holds something that is not Millrace's")]
    public async Task One_whose_label_cannot_be_read_is_refused_before_it_is_taken(int place, string said)
    {
        using (var file = new FileStream(Device, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = place;
            file.WriteByte(0xEE);
        }

        var other = await ProviderAsync(host: 2, "another cluster");
        await AssertRefusedAsync(said, () => other.CreateAsync(other.Describe(Node, Epoch, []), Token).AsTask());
    }

    [Fact]
    public async Task Whoever_has_taken_the_writers_place_is_left_to_seal_for_as_long_as_it_lives()
    {
        var wal = _held.Descriptor;
        var taker = await DevicesAsync(host: 2, "its cluster", new NodeId(8));
        await using var taken = await taker.FenceAsync(wal, Token);
        var third = await DevicesAsync(host: 3, "its cluster", new NodeId(9));
        Assert.Equal(Settling + TimeSpan.FromSeconds(10), await third.GetPatienceAsync(wal, Token));

        third.IsLive = node => node != new NodeIncarnation(new NodeId(8), new NodeEpoch(Epoch.Value + 2));
        Assert.Equal(TimeSpan.Zero, await third.GetPatienceAsync(wal, Token));
    }

    private async Task AssertRefusedAsync(string said, Func<Task> take)
    {
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(take);
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
        Assert.Equal((1, 0), (_shared.Holder, _shared.Aborts));
        await _held.AppendAsync(Record(0, 1000), out _);
    }

    private async Task<RingWalProvider> ProviderAsync(int host, string cluster)
    {
        var devices = await DevicesAsync(host, cluster, Node);
        return new RingWalProvider(_runtimes[^1], _pool, new BlockMedium(devices), new());
    }

    private async Task<BlockDevices> DevicesAsync(int host, string cluster, NodeId node)
    {
        var runtime = new NodeRuntime(
            TimeProvider.System, TaskScheduler.Default, new SystemRandom(), _shared.FilesOf(host, _machine.Runtime.Files), NullLoggerFactory.Instance);
        _runtimes.Add(runtime);
        var devices = new BlockDevices(runtime, _pool, new BlockDeviceOptions(Device) { Fence = DeviceFenceKind.Reservation, Settling = Settling }, [])
        {
            Owner = new BlockOwner(cluster, new NodeIncarnation(node, new NodeEpoch(Epoch.Value + host))),
        };
        await devices.FindAsync(Token);
        return devices;
    }
}
