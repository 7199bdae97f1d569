using System.Buffers.Binary;
using System.IO.Pipelines;
using Millrace.Network.Serving;
using Millrace.Protocol;
using Millrace.Runtime.Buffers;
using Xunit;

namespace Millrace.Tests.Network.Serving;

public sealed class FrameReaderTests
{
    private const int Bytes = 3 * FrameReader.FirstReservation;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_frame_that_finds_no_memory_leaves_all_of_its_room(int failing)
    {
        using var node = new RealNode();
        var taken = 0;
        using var buffers = new BufferPool(0) { Taking = _ => _ = ++taken == failing ? throw new InsufficientMemoryException("none, says the test") : 0 };
        var budgets = new RequestBudgets(new NetworkOptions());
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 2 * Bytes));
        await pipe.Writer.WriteAsync(Frame());
        var frames = new FrameReader(node.Runtime, pipe.Reader, buffers, budgets, maxFrameBytes: 2 * Bytes);

        await Assert.ThrowsAsync<InsufficientMemoryException>(async () => await frames.ReadAsync(default));

        Assert.Equal(failing, taken);
        Assert.Equal(0, budgets.Used);
        Assert.Equal(0, buffers.RentedBytes);
    }

    private static byte[] Frame()
    {
        var frame = new byte[sizeof(int) + Bytes];
        BinaryPrimitives.WriteInt32BigEndian(frame, Bytes);
        BinaryPrimitives.WriteInt16BigEndian(frame.AsSpan(sizeof(int)), (short)ApiKey.Produce);
        return frame;
    }
}
