namespace Millrace.Metadata.Image;

/// <summary>
/// A state of the cluster image: the place in the metadata log of the last entry that changed it. Compared as a pair, the term first, so that
/// any two nodes mean the same by it, whoever the controller was. The empty image's is zero; no entry has that place.
/// </summary>
public readonly record struct MetadataVersion(long Term, long Index) : IComparable<MetadataVersion>
{
    public int CompareTo(MetadataVersion other) => Term != other.Term ? Term.CompareTo(other.Term) : Index.CompareTo(other.Index);

    public static bool operator <(MetadataVersion left, MetadataVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(MetadataVersion left, MetadataVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(MetadataVersion left, MetadataVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(MetadataVersion left, MetadataVersion right) => left.CompareTo(right) >= 0;

    /// <summary>As one number, which rises as the pair does while a term has less than 2^32 entries: for messages of Kafka that have one.</summary>
    public long ToInt64() => (Term << 32) + Index;

    public override string ToString() => $"({Term}, {Index})";
}
