using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>What the command is told: how many brokers there should be. It may be told again, and then nothing is to be done that is done already.</summary>
/// <param name="Current">How many there are.</param>
/// <param name="Desired">How many there should be.</param>
/// <param name="Victim">The one that is to be stopped: it leads nothing any more. Null where none is.</param>
/// <param name="VictimName">What that is called; null where it has no name.</param>
public sealed record ScaleOrder(int Current, int Desired, NodeId? Victim, string? VictimName);
