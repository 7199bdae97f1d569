using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Memory;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Memory;

public sealed class MemoryWalTests : WalContract
{
    private readonly MemoryWalProvider _provider;

    public MemoryWalTests() => _provider = new(Machine.Runtime);

    [Fact]
    public async Task A_fenced_writer_acknowledges_nothing_more()
    {
        var wal = await CreateAsync();
        await wal.AppendAsync(Record(0, 10), out _);
        await using var recovery = await _provider.TakeOverAsync(wal.Descriptor, Token);
        Assert.Equal(StreamError.Fenced, (await wal.Lost).Error);
        var refused = await Assert.ThrowsAsync<StreamException>(async () => await wal.AppendAsync(Record(1, 10), out _));
        Assert.Equal(StreamError.Fenced, refused.Error);
        await AssertHoldsAsync(recovery, [Record(0, 10)]);
    }

    [Fact]
    public async Task What_a_provider_does_not_hold_is_lost()
    {
        var wal = await CreateAsync();
        await Assert.ThrowsAsync<WalUnavailableException>(
            async () => await new MemoryWalProvider(Machine.Runtime).TakeOverAsync(wal.Descriptor, Token));
    }

    private protected override IWalProvider NewProvider() => _provider;
}
