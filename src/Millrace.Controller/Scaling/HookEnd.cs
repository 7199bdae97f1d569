namespace Millrace.Controller.Scaling;

/// <summary>What became of a run of the command.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Words">The last that it said, or why it could not be started; may be empty.</param>
public sealed record HookEnd(HookOutcome Outcome, string Words);
