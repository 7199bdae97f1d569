using System.Buffers;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Compaction;
using Millrace.Streams.Objects;
using Xunit;

namespace Millrace.Tests.Streams.Compaction;

/// <summary>What is read of the objects that are merged, and how much memory that takes.</summary>
public sealed class SourcePiecesTests : StreamsTest
{
    [Theory]
    [InlineData(100, 20_000)]
    [InlineData(1_000, 1_500)]
    [InlineData(1_000, 100)]
    public async Task What_lies_between_pieces_is_read_with_them_and_no_more_of_it_is_kept_than_of_them(int length, int gap)
    {
        var (id, bytes) = (new ObjectId(1), new byte[1 << 20]);
        new Random(1).NextBytes(bytes);
        await Storage.PutAsync(DataObjectKey.Of(id), new ReadOnlySequence<byte>(bytes), default);
        using var buffers = new BufferPool(maxIdleBytes: 0) { Poisons = true };
        var runtime = Start().Runtime;
        var reader = new DataObjectReader(runtime, TestNode.Small, Storage.ReadAsync);
        using var pieces = new SourcePieces(reader, new BytePace(runtime, long.MaxValue), buffers);
        int[] positions = [.. Enumerable.Range(0, 40).Select(i => i * (length + gap))];
        foreach (var position in positions)
        {
            pieces.Want(id, position, length);
        }

        await pieces.ReadAsync(default);

        Assert.All(positions, position => Assert.Equal(bytes.AsSpan(position, length).ToArray(), pieces[id, position].ToArray()));
        Assert.Equal(1, Storage.Reads);
        // Buffers come in sizes a few of which make a double.
        Assert.InRange(buffers.RentedBytes, 40 * length, 4 * 40 * length);
    }
}
