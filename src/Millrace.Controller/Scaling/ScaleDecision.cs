using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>What the scaler makes of one look.</summary>
/// <param name="Change">What is other than it was.</param>
/// <param name="Serving">How many of the brokers take part, and have told of their loads.</param>
/// <param name="Current">How many brokers there are: those that are about to stop are not among them, those that start are.</param>
/// <param name="Desired">How many there should be.</param>
/// <param name="Victim">Which is to go; null unless one is.</param>
/// <param name="Need">What the load asks for; null where that is not known.</param>
/// <param name="Why">For people.</param>
internal sealed record ScaleDecision(ScaleChange Change, int Serving, int Current, int Desired, NodeId? Victim, ScaleNeed? Need, string Why)
{
    /// <summary>One that leads something and has not told of its load for so long that it is not waited for any more; null if there is none.</summary>
    public NodeId? Ignored { get; init; }
}
