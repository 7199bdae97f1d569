using System.Globalization;

namespace Millrace.Runtime.Ids;

/// <summary>Names a stream for ever; never reused.</summary>
public readonly record struct StreamId(long Value) : IComparable<StreamId>
{
    public int CompareTo(StreamId other) => Value.CompareTo(other.Value);

    public static bool operator <(StreamId left, StreamId right) => left.Value < right.Value;

    public static bool operator >(StreamId left, StreamId right) => left.Value > right.Value;

    public static bool operator <=(StreamId left, StreamId right) => left.Value <= right.Value;

    public static bool operator >=(StreamId left, StreamId right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
