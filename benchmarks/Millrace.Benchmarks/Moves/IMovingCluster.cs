namespace Millrace.Benchmarks.Moves;

/// <summary>A cluster whose partitions can be given to any of its brokers.</summary>
internal interface IMovingCluster
{
    string BootstrapServers { get; }

    int Count { get; }

    /// <param name="topic">Its name.</param>
    /// <param name="partitions">How many.</param>
    /// <param name="leader">The broker that leads all of them.</param>
    void CreateTopic(string topic, int partitions, int leader);

    /// <summary>Has a broker lead all partitions of a topic, and waits until it does.</summary>
    /// <exception cref="InvalidOperationException">One of them has not moved.</exception>
    Task MoveAsync(string topic, int index, TimeSpan limit);

    /// <summary>How long partitions stopped, by the brokers' own clocks; null where they do not tell.</summary>
    StopTimes? Stops();
}
