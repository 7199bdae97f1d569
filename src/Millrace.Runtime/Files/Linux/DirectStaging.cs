using Millrace.Runtime.Buffers;

namespace Millrace.Runtime.Files.Linux;

/// <summary>
/// Aligned buffers in which bytes are gathered for direct writes, since callers' memory does not lie as the disk wants it. The
/// process's, not a node's: they carry nothing from one call to the next.
/// </summary>
internal static class DirectStaging
{
    // Below this a fast disk idles between the writes; above it nothing is gained.
    private const int Bytes = 1 << 20;

    private static readonly BufferPool Pool = new(maxIdleBytes: 8 * Bytes);

    /// <summary>A buffer as long as what has to pass, up to a bound; released by the caller.</summary>
    internal static PooledBuffer Rent(long length) => Pool.Rent((int)Math.Min(length, Bytes));
}
