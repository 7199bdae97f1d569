namespace Millrace.Streams.Wal.Ring;

/// <summary>What an operator may tune about a ring WAL, whatever it lies on.</summary>
public sealed record RingWalOptions
{
    /// <summary>Bytes of records that one write and flush take at most. More only delay the first of them.</summary>
    public int GroupBytes { get; init; } = 8 << 20;
}
