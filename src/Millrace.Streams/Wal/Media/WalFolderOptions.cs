using Millrace.Runtime.Files;

namespace Millrace.Streams.Wal.Media;

/// <summary>What an operator may tune about WALs in a folder.</summary>
public sealed record WalFolderOptions
{
    /// <summary>
    /// Bytes of a WAL's file, a multiple of a sector, all of which are taken when it is made, so that the disk cannot refuse what was accepted. A third
    /// more than the default bound on what is not yet uploaded, and four times the largest record. Where small appends, which take a whole sector each, fill
    /// it before that bound is reached, they wait as they would there.
    /// </summary>
    public long Capacity { get; init; } = 256L << 20;

    /// <summary>
    /// How writes reach the disk. Past the page cache by default: half the processor time of a write through it, and no dirty pages
    /// of others to wait for in a flush. A file system that has no direct writes gets buffered ones.
    /// </summary>
    public WalDeviceMode Mode { get; init; } = WalDeviceMode.Direct;
}
