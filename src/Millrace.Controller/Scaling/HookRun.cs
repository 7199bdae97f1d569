namespace Millrace.Controller.Scaling;

/// <summary>The last run of the command.</summary>
/// <param name="Order">What it was told.</param>
/// <param name="At">When it began.</param>
/// <param name="Attempt">Which this one was for that order, from 1.</param>
/// <param name="Took">How long it took; null while it runs.</param>
/// <param name="End">What became of it; null while it runs.</param>
internal sealed record HookRun(ScaleOrder Order, DateTimeOffset At, int Attempt, TimeSpan? Took, HookEnd? End);
