using Millrace.Streams;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>The rules of a hand-over whose outcome is open with at most one mistake.</summary>
internal sealed class PlantedHandOverRules(PlantedFault? fault) : HandOverRules
{
    public override bool MayHaveMoved(bool isAsked) => fault != PlantedFault.ReadWhatMayHaveMoved && base.MayHaveMoved(isAsked);

    public override bool MayBeTakenBack(bool isAsked) => fault == PlantedFault.TakeBackWhatMayHaveMoved || base.MayBeTakenBack(isAsked);
}
