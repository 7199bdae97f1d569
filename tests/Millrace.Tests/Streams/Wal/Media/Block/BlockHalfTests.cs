using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams.Wal.Media.Block;
using Xunit;

namespace Millrace.Tests.Streams.Wal.Media.Block;

public sealed class BlockHalfTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_read_that_was_aborted_since_another_took_hold_of_the_device_is_read_again()
    {
        var device = new FailingReads { Left = 1 };
        await using var half = new BlockHalf(device, start: 4096, length: 8192);
        await half.ReadAsync(4096, new byte[512], Token);
        Assert.Equal(8192, device.Read);
    }

    [Fact]
    public async Task What_cannot_be_read_is_told()
    {
        await using var half = new BlockHalf(new FailingReads { Left = 2 }, start: 4096, length: 8192);
        await Assert.ThrowsAsync<IOException>(async () => await half.ReadAsync(4096, new byte[512], Token));
    }

    private sealed class FailingReads : IWalDevice
    {
        /// <summary>So many reads fail.</summary>
        public int Left { get; set; }

        /// <summary>Where the last one was that did not.</summary>
        public long Read { get; private set; }

        public long Capacity => 1 << 20;

        public int SectorSize => 512;

        public WalDeviceMode Mode => WalDeviceMode.Direct;

        public ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token)
        {
            if (Left-- > 0)
            {
                throw new IOException("Input/output error", LinuxError.InputOutput);
            }

            Read = position;
            return default;
        }

        public ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token) => default;

        public ValueTask FlushAsync(CancellationToken token) => default;

        public ValueTask DisposeAsync() => default;
    }
}
