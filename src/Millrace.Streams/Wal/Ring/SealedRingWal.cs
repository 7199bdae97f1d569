using System.Runtime.CompilerServices;
using Millrace.Runtime.Buffers;
using Millrace.Streams.Wal.Media;

namespace Millrace.Streams.Wal.Ring;

/// <summary>A sealed ring. It holds its space until it is completed or disposed.</summary>
internal sealed class SealedRingWal(
    WalDescriptor descriptor, WalRing ring, BufferPool pool, RingHeader header, IWalSpace space) : ISealedWal
{
    private bool _disposed;

    public WalDescriptor Descriptor => descriptor;

    public async IAsyncEnumerable<StreamRecord> ReadAsync([EnumeratorCancellation] CancellationToken token)
    {
        using var reader = new WalBlockReader(ring, pool, header);
        var position = header.TrimRingPosition;
        for (var sequence = header.TrimSequence; sequence < header.EndSequence; sequence++)
        {
            var block = await ReadBlockAsync(reader, position, sequence, token);
            var body = block.Body;
            for (var i = 0; i < block.Header.Count; i++)
            {
                if (!WalRecordFormat.TryRead(ref body, out var record))
                {
                    throw Damaged($"block {sequence} holds fewer records than it says");
                }

                if (block.Header.FirstAppend + i >= header.TrimAppend)
                {
                    yield return record;
                }
            }

            position += block.Header.BlockLength;
        }
    }

    public async ValueTask CompleteAsync(CancellationToken token)
    {
        await DisposeAsync();
        await space.GiveUpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            await space.DisposeAsync();
        }
    }

    private async ValueTask<WalBlock> ReadBlockAsync(WalBlockReader reader, long position, long sequence, CancellationToken token)
    {
        try
        {
            return await reader.ReadAsync(position, sequence, header.EndRingPosition, token)
                ?? throw Damaged($"block {sequence} has changed since it was sealed");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Damaged(failure.Message, failure);
        }
    }

    private WalUnavailableException Damaged(string what, Exception? inner = null) =>
        new(descriptor, $"The WAL {descriptor.Location} cannot be read: {what}", inner);
}
