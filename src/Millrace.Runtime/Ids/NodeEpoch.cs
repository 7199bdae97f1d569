using System.Globalization;

namespace Millrace.Runtime.Ids;

/// <summary>Counts the incarnations of a node; an older one is fenced.</summary>
public readonly record struct NodeEpoch(long Value) : IComparable<NodeEpoch>
{
    public int CompareTo(NodeEpoch other) => Value.CompareTo(other.Value);

    public static bool operator <(NodeEpoch left, NodeEpoch right) => left.Value < right.Value;

    public static bool operator >(NodeEpoch left, NodeEpoch right) => left.Value > right.Value;

    public static bool operator <=(NodeEpoch left, NodeEpoch right) => left.Value <= right.Value;

    public static bool operator >=(NodeEpoch left, NodeEpoch right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
