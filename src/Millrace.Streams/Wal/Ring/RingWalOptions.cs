using Millrace.Runtime.Files;

namespace Millrace.Streams.Wal.Ring;

/// <summary>What an operator may tune about a ring WAL.</summary>
public sealed record RingWalOptions
{
    /// <summary>
    /// Bytes of its space, all of which are taken when it is made, so that the disk cannot refuse what was accepted. A third more than the
    /// default bound on what is not yet uploaded, and four times the largest record. Where small appends, which take a whole sector each, fill
    /// it before that bound is reached, they wait as they would there.
    /// </summary>
    public long Capacity { get; init; } = 256L << 20;

    /// <summary>
    /// How writes reach the disk. Past the page cache by default: half the processor time of a write through it, and no dirty pages
    /// of others to wait for in a flush. A file system that has no direct writes gets buffered ones.
    /// </summary>
    public WalDeviceMode Mode { get; init; } = WalDeviceMode.Direct;

    /// <summary>Bytes of records that one write and flush take at most. More only delay the first of them.</summary>
    public int GroupBytes { get; init; } = 8 << 20;
}
