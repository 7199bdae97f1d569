using Millrace.Runtime.Files;

namespace Millrace.Streams.Wal.File;

/// <summary>What an operator may tune about a file WAL.</summary>
public sealed record FileWalOptions
{
    /// <summary>
    /// Bytes of the file. Twice the default bound on what is not yet uploaded: small appends take up to a
    /// whole sector each, and what is committed is only given up when its upload is done.
    /// </summary>
    public long Capacity { get; init; } = 512L << 20;

    /// <summary>
    /// How writes reach the disk. Past the page cache by default: half the processor time of a write through it, and no dirty pages
    /// of others to wait for in a flush. A file system that has no direct writes gets buffered ones.
    /// </summary>
    public WalDeviceMode Mode { get; init; } = WalDeviceMode.Direct;

    /// <summary>Bytes of records that one write and flush take at most. More only delay the first of them.</summary>
    public int GroupBytes { get; init; } = 8 << 20;
}
