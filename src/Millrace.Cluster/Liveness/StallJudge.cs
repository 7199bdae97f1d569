namespace Millrace.Cluster.Liveness;

/// <summary>Tells a node that is cut off from the store from a store that is away.</summary>
internal sealed class StallJudge(ClusterOptions options)
{
    /// <param name="stalled">How long the node has waited for the store.</param>
    /// <param name="heard">The same of the others that are heard, the controller's node among them.</param>
    /// <param name="others">How many others there are.</param>
    /// <returns>
    /// Whether the store does not answer it while it answers more than half of the others. When all stall the store is away, and nobody could do better.
    /// </returns>
    public bool IsCutOff(TimeSpan stalled, IReadOnlyList<TimeSpan> heard, int others) =>
        stalled >= options.StallTime && heard.Count(other => other < options.StallTime) * 2 > others;
}
