using Millrace.Controller.State;

namespace Millrace.Controller.Objects;

/// <summary>
/// What the commit of a compaction rests on. The simulator replaces it, to prove that its checkers would notice a mistake.
/// </summary>
internal class CompactionRules
{
    public static CompactionRules Default { get; } = new();

    /// <summary>
    /// Whether a stream's records still lie where they were taken from: between the two offsets it has whole ranges, and all of them in objects that the
    /// commit names.
    /// </summary>
    /// <param name="ranges">The stream's ranges from the first offset to the other.</param>
    /// <param name="start">Where what is offered begins, but for what was trimmed meanwhile.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="isSource">Whether the commit names an object.</param>
    public virtual bool AreTheSame(IReadOnlyList<RangeState> ranges, long start, long end, Func<RangeState, bool> isSource) =>
        ranges.Count > 0 && ranges[0].StartOffset == start && ranges[^1].EndOffset == end && ranges.All(isSource);
}
