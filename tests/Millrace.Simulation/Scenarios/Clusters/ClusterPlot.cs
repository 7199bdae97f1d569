namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>What a world of brokers is about.</summary>
internal enum ClusterPlot
{
    /// <summary>Whatever brokers may meet.</summary>
    Everything,

    /// <summary>Partitions that move without a pause, and a controller that is not heard: the moments in which a hand-over may have happened.</summary>
    HandOvers,
}
