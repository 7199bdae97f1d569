using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Ring;

/// <summary>The ring keeps what every WAL promises on a medium that is not a file, and fences by another means than a lock.</summary>
public sealed class RingOnSharedDeviceTests : WalContract
{
    private readonly SharedDevice _device = new(16 << 20);

    [Fact]
    public async Task A_living_writer_that_is_fenced_learns_it_from_its_next_write_and_acknowledges_nothing_more()
    {
        var wal = await CreateAsync();
        await AppendAllAsync(wal, [Record(0, 100), Record(1, 5000)]);

        await using var recovery = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
        var refused = await Assert.ThrowsAsync<StreamException>(async () => await wal.AppendAsync(Record(2, 10), out _));

        Assert.Equal(StreamError.Fenced, refused.Error);
        Assert.Equal(StreamError.Fenced, (await wal.Lost).Error);
        await AssertHoldsAsync(recovery, [Record(0, 100), Record(1, 5000)]);
    }

    [Fact]
    public async Task A_wal_that_another_is_about_to_seal_is_not_taken_from_that_one()
    {
        await using var wal = await CreateAsync();
        await AppendAllAsync(wal, [Record(0, 100), Record(1, 5000)]);
        var late = new RingWalTakeover(Machine.Runtime, Pool, new TakenByAnother(_device)).TakeOverAsync(wal.Descriptor, Token).AsTask();
        await Task.Delay(100, Token);
        Assert.False(late.IsCompleted);

        await using var first = await NewProvider().TakeOverAsync(wal.Descriptor, Token);
        await using var recovery = await late;
        await AssertHoldsAsync(recovery, [Record(0, 100), Record(1, 5000)]);
    }

    [Fact]
    public async Task A_retired_wal_has_the_room_that_the_next_one_needs_and_one_on_another_medium_has_not()
    {
        await using var wal = await CreateAsync();
        Assert.True(NewProvider().SharesRoomWith(wal.Descriptor));
        Assert.False(NewProvider().SharesRoomWith(wal.Descriptor with { Location = "/dev/other/1" }));
    }

    private protected override IWalProvider NewProvider() => new RingWalProvider(Machine.Runtime, Pool, _device, new());

    private sealed class TakenByAnother(SharedDevice device) : IFormerSpaces
    {
        public bool AreShared => true;

        public ValueTask<TimeSpan> GetPatienceAsync(WalDescriptor wal, CancellationToken token) => new(TimeSpan.FromHours(1));

        public ValueTask<IWalSpace?> TryOpenToReadAsync(WalDescriptor wal, CancellationToken token) => new(device.Read(wal.Id));

        public ValueTask<IWalSpace> FenceAsync(WalDescriptor wal, CancellationToken token) =>
            throw new InvalidOperationException("It was taken from the one that was about to seal it.");

        public ValueTask<bool> DiscardAsync(WalDescriptor wal, CancellationToken token) => new(true);
    }
}
