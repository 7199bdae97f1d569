namespace Millrace.Streams.Registry;

/// <summary>What became of a range in a commit.</summary>
/// <param name="Outcome">Whether it counts.</param>
/// <param name="StartOffset">Where the accepted part begins (a range is cut at the committed end).</param>
public readonly record struct RangeVerdict(RangeOutcome Outcome, long StartOffset);
