namespace Millrace.Controller.Balancing;

/// <summary>A move in the balancer's history.</summary>
/// <param name="Id">Counts the actions of one controller.</param>
/// <param name="At">When it was planned.</param>
/// <param name="Move">What was planned, and why.</param>
/// <param name="IsBegun">It became a plan of the partition, and not only advice.</param>
internal sealed record BalanceAction(long Id, DateTimeOffset At, BalanceMove Move, bool IsBegun);
