using System.Globalization;

namespace Millrace.Runtime.Ids;

/// <summary>Names a data object for ever; never reused.</summary>
public readonly record struct ObjectId(long Value) : IComparable<ObjectId>
{
    public int CompareTo(ObjectId other) => Value.CompareTo(other.Value);

    public static bool operator <(ObjectId left, ObjectId right) => left.Value < right.Value;

    public static bool operator >(ObjectId left, ObjectId right) => left.Value > right.Value;

    public static bool operator <=(ObjectId left, ObjectId right) => left.Value <= right.Value;

    public static bool operator >=(ObjectId left, ObjectId right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
