namespace Millrace.Runtime;

/// <summary>The medium under a WAL: a preallocated file or a block device of fixed size.</summary>
/// <remarks>
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

    /// <summary>Bytes; positions, lengths and (for direct devices) buffer addresses are multiples of it.</summary>
    int SectorSize { get; }

    ValueTask WriteAsync(long position, ReadOnlyMemory<byte> bytes, CancellationToken token = default);

    /// <summary>Fills the whole buffer.</summary>
    ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token = default);

    ValueTask FlushAsync(CancellationToken token = default);
}
