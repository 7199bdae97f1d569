using Millrace.Controller.Objects;
using Millrace.Controller.State;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>The rules of a compaction's commit with at most one mistake: that whatever lies there now gives way.</summary>
internal sealed class PlantedCompactionRules(PlantedFault? fault) : CompactionRules
{
    public override bool AreTheSame(IReadOnlyList<RangeState> ranges, long start, long end, Func<RangeState, bool> isSource) =>
        fault == PlantedFault.CommitCompactionUnjudged ? ranges.Count > 0 : base.AreTheSame(ranges, start, end, isSource);
}
