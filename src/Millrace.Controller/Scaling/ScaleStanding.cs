using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>What was decided last. It stands in the metadata, so that the next controller goes on from there.</summary>
/// <param name="Desired">How many brokers there should be; 0 while nobody has decided anything.</param>
/// <param name="Victim">Which is drained, to be stopped then; null if none is.</param>
internal sealed record ScaleStanding(int Desired, NodeId? Victim)
{
    public static ScaleStanding None { get; } = new(0, null);
}
