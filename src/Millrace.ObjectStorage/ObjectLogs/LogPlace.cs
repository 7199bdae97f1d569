namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>A place in an object log: an index in a term. Places are ordered by term first.</summary>
public readonly record struct LogPlace(long Term, long Index) : IComparable<LogPlace>
{
    public static LogPlace Start => default;

    public LogPlace Next => this with { Index = Index + 1 };

    public LogPlace NextTerm => new(Term + 1, 0);

    public int CompareTo(LogPlace other) =>
        Term != other.Term ? Term.CompareTo(other.Term) : Index.CompareTo(other.Index);

    public static bool operator <(LogPlace left, LogPlace right) => left.CompareTo(right) < 0;

    public static bool operator >(LogPlace left, LogPlace right) => left.CompareTo(right) > 0;

    public static bool operator <=(LogPlace left, LogPlace right) => left.CompareTo(right) <= 0;

    public static bool operator >=(LogPlace left, LogPlace right) => left.CompareTo(right) >= 0;

    public override string ToString() => $"({Term}, {Index})";
}
