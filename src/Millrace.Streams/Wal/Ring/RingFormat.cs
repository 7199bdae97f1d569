namespace Millrace.Streams.Wal.Ring;

/// <summary>The layout of a ring WAL, version 1: two header slots, then a ring of blocks.</summary>
/// <remarks>
/// A place in the ring is a logical position that only rises; it stands at <see cref="RingStart"/> + position mod ring
/// size. Blocks begin at multiples of a sector and may run over the ring's end to its beginning.
/// </remarks>
internal static class RingFormat
{
    public const int Sector = 4096;

    /// <summary>Each header slot has a sector of its own, so that tearing or losing one leaves the other.</summary>
    public const int HeaderSlots = 2;

    public const long RingStart = HeaderSlots * Sector;

    public const ushort Version = 1;

    /// <summary>
    /// Bytes of blocks that are not known to be durable yet, at most; a larger one has nothing in flight beside it. Recovery relies on it: the first block that
    /// is written when another one is known to be durable confirms it, and is no further behind.
    /// </summary>
    public const long BytesInFlight = 17 << 20;

    /// <summary>The largest payload of one record.</summary>
    public const int MaxRecordBytes = 64 << 20;

    /// <summary>
    /// How far behind a bad block recovery looks for a later one that proves the bad one acknowledged: over the largest possible bad block, alone in flight, or
    /// a smaller one with all that was in flight beside it.
    /// </summary>
    public const long ProofWindow = MaxRecordBytes + (1L << 20);

    /// <summary>A quarter of it has to hold the largest record, and that one batch of usual size.</summary>
    public const long SmallestCapacity = 8 << 20;

    public static long Align(long length) => (length + Sector - 1) / Sector * Sector;
}
