namespace Millrace.Controller.Balancing;

/// <summary>What is to be done after one window.</summary>
/// <param name="Moves">The most urgent goal's first.</param>
/// <param name="Waits">Why nothing was looked for; null if it was.</param>
internal sealed record BalancePlan(IReadOnlyList<BalanceMove> Moves, string? Waits = null);
