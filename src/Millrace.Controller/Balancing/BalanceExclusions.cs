using System.Collections.Frozen;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Balancing;

/// <summary>What the balancer leaves alone.</summary>
/// <param name="Topics">By name: their partitions stay where they are, and count all the same.</param>
/// <param name="Nodes">Nothing is moved away from them, or to them.</param>
internal sealed record BalanceExclusions(FrozenSet<string> Topics, FrozenSet<NodeId> Nodes)
{
    public static BalanceExclusions None { get; } = new(FrozenSet<string>.Empty, FrozenSet<NodeId>.Empty);
}
