namespace Millrace.Runtime.Files;

/// <summary>The medium under a WAL: a preallocated file or a block device of fixed size.</summary>
/// <remarks>
/// Positions and total lengths of reads and writes are multiples of <see cref="SectorSize"/>; on a device opened in
/// <see cref="WalDeviceMode.Direct"/> so are the length and the address of every buffer.
/// A completed write is durable only after a <see cref="FlushAsync"/> that began after it. Unflushed writes may be lost, in
/// part (sector by sector) and in any order, when the machine dies. Several writes may be under way at once, from any
/// thread, to places that do not overlap; the caller keeps a buffer unchanged until its write has completed.
/// Errors are <see cref="IOException"/>s with the errno as <see cref="Exception.HResult"/>. After a failed flush nothing
/// that was written since the last good one may be taken for durable, and no later flush may be believed.
/// </remarks>
public interface IWalDevice : IAsyncDisposable
{
    /// <summary>Bytes.</summary>
    long Capacity { get; }

    /// <summary>Bytes; a power of two, at most 4096.</summary>
    int SectorSize { get; }

    /// <summary>How writes reach the medium.</summary>
    WalDeviceMode Mode { get; }

    /// <summary>Writes the parts one behind the other. The list too stays unchanged until the write has completed.</summary>
    ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token = default);

    /// <summary>Fills the whole buffer.</summary>
    ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token = default);

    ValueTask FlushAsync(CancellationToken token = default);

    /// <summary>A write and a flush behind it, without a way back to the caller in between. A failure may be of either.</summary>
    async ValueTask WriteThroughAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token = default)
    {
        await WriteAsync(position, parts, token);
        await FlushAsync(token);
    }
}
