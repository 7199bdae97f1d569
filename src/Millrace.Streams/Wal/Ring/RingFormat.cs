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

    /// <summary>How many groups may be written or flushed at once. Recovery relies on it: a block two places behind another one confirms it.</summary>
    public const int GroupsInFlight = 2;

    /// <summary>The largest payload of one record.</summary>
    public const int MaxRecordBytes = 64 << 20;

    /// <summary>
    /// How far behind a bad block recovery looks for a later one that proves the bad one acknowledged: over the largest
    /// possible bad block and as large a one behind it.
    /// </summary>
    public const long ProofWindow = GroupsInFlight * (MaxRecordBytes + (1L << 20));

    /// <summary>A quarter of it has to hold the largest record, and that one batch of usual size.</summary>
    public const long SmallestCapacity = 8 << 20;

    public static long Align(long length) => (length + Sector - 1) / Sector * Sector;
}
