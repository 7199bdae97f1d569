using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>What the scaler can tell of itself.</summary>
/// <param name="Decision">What it made of its last look; null before the first, and while it does not look.</param>
/// <param name="Advised">Which broker it would have stopped last, had it been told to.</param>
internal sealed record ScalerState(ScaleDecision? Decision, NodeId? Advised)
{
    public static ScalerState None { get; } = new(null, null);
}
