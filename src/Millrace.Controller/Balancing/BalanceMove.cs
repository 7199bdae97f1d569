using Millrace.Runtime.Ids;

namespace Millrace.Controller.Balancing;

/// <summary>A partition that is to be led by another node, and what for.</summary>
/// <param name="Topic">The topic's id.</param>
/// <param name="Partition">Its number in the topic.</param>
/// <param name="From">Who leads it.</param>
/// <param name="To">Who is to.</param>
/// <param name="Goal">What for.</param>
/// <param name="Bytes">Its load, in bytes a second.</param>
/// <param name="FromLoad">What its leader has, as a share of the mean: before, and as expected afterwards; of <see cref="BalanceGoal.Overload"/> the share of
/// its processors, of <see cref="BalanceGoal.Fill"/> and <see cref="BalanceGoal.Count"/> in numbers of partitions.</param>
/// <param name="ToLoad">The same of the other node.</param>
internal sealed record BalanceMove(
    Guid Topic,
    int Partition,
    NodeId From,
    NodeId To,
    BalanceGoal Goal,
    long Bytes,
    (double Before, double After) FromLoad,
    (double Before, double After) ToLoad);
