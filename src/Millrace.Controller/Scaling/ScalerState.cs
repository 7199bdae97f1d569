using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>What the scaler can tell of itself.</summary>
/// <param name="Decision">What it made of its last look; null before the first.</param>
/// <param name="Settings">By which.</param>
/// <param name="Advised">Which broker it would have stopped last, had it been told to.</param>
internal sealed record ScalerState(ScaleDecision? Decision, ScaleSettings Settings, NodeId? Advised)
{
    public static ScalerState None { get; } = new(null, new ScaleSettings(), null);
}
