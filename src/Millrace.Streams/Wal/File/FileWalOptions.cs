using Millrace.Runtime;

namespace Millrace.Streams.Wal;

/// <summary>What an operator may tune about a file WAL.</summary>
public sealed record FileWalOptions
{
    /// <summary>
    /// Bytes of the file. Twice the default bound on what is not yet uploaded: small appends take up to a
    /// whole sector each, and what is committed is only given up when its upload is done.
    /// </summary>
    public long Capacity { get; init; } = 512L << 20;

    /// <summary>How writes reach the disk.</summary>
    public WalDeviceMode Mode { get; init; } = WalDeviceMode.Buffered;

    /// <summary>Bytes of records that one write and flush take at most. More only delay the first of them.</summary>
    public int GroupBytes { get; init; } = 8 << 20;
}
