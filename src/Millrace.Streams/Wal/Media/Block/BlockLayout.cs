namespace Millrace.Streams.Wal.Media.Block;

/// <summary>
/// What lies where on a device: the label, and two halves for a ring each. While others still read the WAL that a former incarnation left in one, the next
/// incarnation writes the other.
/// </summary>
internal static class BlockLayout
{
    public const int Halves = 2;

    /// <summary>Where the first half begins: behind the label and what partitioning tools use.</summary>
    public const long Start = 1 << 20;

    /// <summary>Where a half lies, in bytes, on a device of which so many are used.</summary>
    public static (long Start, long Length) PartOf(long capacity, int half)
    {
        var length = Math.Max(0, (capacity - Start) / Halves / BlockLabel.Sector * BlockLabel.Sector);
        return (Start + half * length, length);
    }

    /// <summary>A WAL's place in words, for its descriptor: <c>REACH#HALF</c>.</summary>
    public static string Say(string reach, int half) => $"{reach}#{half}";

    /// <summary>The other way round; null if it is no such place.</summary>
    public static (string Reach, int Half)? TryParse(string location) =>
        location.LastIndexOf('#') is var at and > 0 && location[(at + 1)..] is [>= '0' and < (char)('0' + Halves)] half
            ? (location[..at], half[0] - '0')
            : null;
}
