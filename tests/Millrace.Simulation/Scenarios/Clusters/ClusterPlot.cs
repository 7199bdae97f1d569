namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>What a world of brokers is about.</summary>
internal enum ClusterPlot
{
    /// <summary>Whatever brokers may meet.</summary>
    Everything,

    /// <summary>Partitions that move without a pause, and answers of the controller that are late: the moments in which a hand-over may have happened.</summary>
    HandOvers,
}
