using System.Globalization;

namespace Millrace.Runtime.Ids;

/// <summary>Counts the owners of a stream; a partition's leader epoch. An older owner is fenced.</summary>
public readonly record struct StreamEpoch(long Value) : IComparable<StreamEpoch>
{
    public int CompareTo(StreamEpoch other) => Value.CompareTo(other.Value);

    public static bool operator <(StreamEpoch left, StreamEpoch right) => left.Value < right.Value;

    public static bool operator >(StreamEpoch left, StreamEpoch right) => left.Value > right.Value;

    public static bool operator <=(StreamEpoch left, StreamEpoch right) => left.Value <= right.Value;

    public static bool operator >=(StreamEpoch left, StreamEpoch right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
