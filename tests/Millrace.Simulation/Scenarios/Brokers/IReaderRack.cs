namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>The rack of a reader, which may be sent to a broker there.</summary>
internal interface IReaderRack
{
    string Name { get; }

    /// <summary>It is, and reads from a broker that need not lead.</summary>
    bool IsSent { get; }

    /// <summary>It is from now on.</summary>
    void Send(int broker);
}
