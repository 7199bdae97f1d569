using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Streams.Wal.Ring;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Media.Block;

/// <summary>Rings on a device, fenced by this host's lock.</summary>
public abstract class BlockWalTests : WalContract
{
    private protected const long Capacity = 64 << 20;
    private const string Cluster = "6fybnjOlTzidPA9LjwqaEQ";
    private BlockDevices _devices = null!;

    private protected override bool GivesRoomBackAtOnce => false;

    private protected abstract string Device { get; }

    public override async ValueTask InitializeAsync() => _devices = await FindAsync(Node);

    [Fact]
    public async Task A_wal_that_a_living_process_holds_is_not_taken_over()
    {
        await using var wal = await CreateAsync();
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await NewProvider().TakeOverAsync(wal.Descriptor, Token));
        Assert.Contains("held by a living process", refused.Message, StringComparison.Ordinal);
        Assert.True(refused.MayPass);
    }

    [Fact]
    public async Task A_node_that_has_the_device_attached_takes_over_what_another_left_and_several_read_it_at_once()
    {
        var wal = await CreateAsync();
        await AppendAllAsync(wal, [Record(0, 100), Record(1, 70_000)]);
        await wal.DisposeAsync();

        var (one, another) = (await OtherAsync(8), await OtherAsync(9));
        await using var first = await one.TakeOverAsync(wal.Descriptor, Token);
        await using var second = await another.TakeOverAsync(wal.Descriptor, Token);
        await AssertHoldsAsync(first, [Record(0, 100), Record(1, 70_000)]);
        await AssertHoldsAsync(second, [Record(0, 100), Record(1, 70_000)]);

        // Its writer's next incarnation begins beside what they still read.
        var provider = NewProvider();
        await using var next = await provider.CreateAsync(provider.Describe(Node, new NodeEpoch(4), [wal.Descriptor]), Token);
        Assert.NotEqual(wal.Descriptor.Location, next.Descriptor.Location);
        await AppendAllAsync(next, [Record(2, 3_000_000)]);
        await AssertHoldsAsync(first, [Record(0, 100), Record(1, 70_000)]);
    }

    [Fact]
    public async Task What_waits_in_both_halves_is_not_overwritten()
    {
        var provider = NewProvider();
        var first = provider.Describe(Node, Epoch, []);
        var second = provider.Describe(Node, Epoch, [first]);
        var refused = Assert.Throws<WalUnavailableException>(() => provider.Describe(Node, Epoch, [first, second]));
        Assert.Contains("Both halves", refused.Message, StringComparison.Ordinal);
        Assert.True(refused.MayPass);
    }

    [Fact]
    public async Task An_incarnation_that_slept_does_not_write_over_its_successors()
    {
        var provider = NewProvider();
        var slept = provider.Describe(Node, new NodeEpoch(3), []);
        var wal = await provider.CreateAsync(provider.Describe(Node, new NodeEpoch(4), []), Token);
        await AppendAllAsync(wal, [Record(0, 100)]);
        await wal.DisposeAsync();
        var refused = await Assert.ThrowsAsync<StreamException>(async () => await provider.CreateAsync(slept, Token));
        Assert.Equal(StreamError.Fenced, refused.Error);
        await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
        await AssertHoldsAsync(recovery, [Record(0, 100)]);
    }

    [Fact]
    public async Task What_waits_by_another_name_of_the_device_is_not_written_over()
    {
        var provider = NewProvider();
        var wal = await provider.CreateAsync(provider.Describe(Node, Epoch, []), Token);
        await wal.DisposeAsync();
        var waiting = wal.Descriptor with { Location = "another-name#0" };
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(
            async () => await provider.CreateAsync(provider.Describe(Node, new NodeEpoch(4), [waiting]), Token));
        Assert.Contains("waits for its recovery", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_that_holds_something_else_is_refused_and_left_as_it_is()
    {
        var bytes = "not Millrace's"u8.ToArray();
        await WriteAsync(4096 + 512, bytes);
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(async () => await CreateAsync());
        Assert.Contains("holds something that is not Millrace's", refused.Message, StringComparison.Ordinal);
        Assert.Contains("millrace wal format", refused.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, await ReadAsync(4096 + 512, bytes.Length));
        Assert.Equal(new byte[512], await ReadAsync(0, 512));
    }

    [Fact]
    public async Task A_device_of_another_node_is_refused()
    {
        await (await CreateAsync()).DisposeAsync();
        var other = new RingWalProvider(Machine.Runtime, Pool, new BlockMedium(await FindAsync(new NodeId(8))), new());
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(
            async () => await other.CreateAsync(other.Describe(new NodeId(8), new NodeEpoch(9), []), Token));
        Assert.Contains("holds WALs of node 7", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_that_is_not_attached_is_named()
    {
        var wal = await CreateAsync();
        await wal.DisposeAsync();
        var elsewhere = new BlockDevices(Machine.Runtime, Pool, null, []) { Owner = OwnerOf(new NodeId(8)) };
        await elsewhere.FindAsync(Token);
        var refused = await Assert.ThrowsAsync<WalUnavailableException>(
            async () => await new RingWalTakeover(Machine.Runtime, Pool, elsewhere).TakeOverAsync(wal.Descriptor, Token));
        Assert.Contains("which this node does not reach", refused.Message, StringComparison.Ordinal);
    }

    private protected override IWalProvider NewProvider() => new RingWalProvider(Machine.Runtime, Pool, new BlockMedium(_devices), new());

    private async Task<RingWalTakeover> OtherAsync(int node)
    {
        var devices = new BlockDevices(Machine.Runtime, Pool, null, [Options]) { Owner = OwnerOf(new NodeId(node)) };
        Assert.Equal(await _devices.FindAsync(Token), await devices.FindAsync(Token));
        return new RingWalTakeover(Machine.Runtime, Pool, devices);
    }

    private async Task<BlockDevices> FindAsync(NodeId node)
    {
        var devices = new BlockDevices(Machine.Runtime, Pool, Options, []) { Owner = OwnerOf(node) };
        await devices.FindAsync(Token);
        return devices;
    }

    private BlockDeviceOptions Options => new(Device) { Capacity = Capacity, Fence = DeviceFenceKind.Host };

    private static BlockOwner OwnerOf(NodeId node) => new(Cluster, new(node, Epoch));

    private async Task WriteAsync(long position, byte[] bytes)
    {
        await using var device = new FileStream(Device, FileMode.Open);
        device.Position = position;
        await device.WriteAsync(bytes, Token);
        device.Flush(flushToDisk: true);
    }

    private async Task<byte[]> ReadAsync(long position, int length)
    {
        await using var device = new FileStream(Device, FileMode.Open);
        device.Position = position;
        var bytes = new byte[length];
        await device.ReadExactlyAsync(bytes, Token);
        return bytes;
    }
}
