namespace Millrace.Benchmarks.Failover;

/// <summary>A topic, a producer that writes to it and a group that reads it.</summary>
internal sealed class Application : IDisposable
{
    private readonly string _bootstrapServers;
    private readonly string _topic;
    private readonly int _partitions;
    private readonly SteadyWriter _writer;
    private readonly GroupReader _group;

    public Application(string bootstrapServers, string topic, int partitions, WriterOptions writing)
    {
        (_bootstrapServers, _topic, _partitions) = (bootstrapServers, topic, partitions);
        _writer = new SteadyWriter(bootstrapServers, topic, partitions, writing);
        _group = new GroupReader(bootstrapServers, topic, partitions);
    }

    /// <inheritdoc cref="GroupReader.Rebalances"/>
    public int Rebalances => _group.Rebalances;

    /// <inheritdoc cref="SteadyWriter.ProbeAll"/>
    public Probe ProbeAll() => _writer.ProbeAll();

    /// <inheritdoc cref="AcknowledgementGaps.Take"/>
    public TimeSpan[] LongestGaps() => _writer.LongestGaps();

    /// <inheritdoc cref="SteadyWriter.LongestGap"/>
    public TimeSpan LongestGap() => _writer.LongestGap();

    /// <inheritdoc cref="SteadyWriter.Latencies"/>
    public double[] Latencies() => _writer.Latencies();

    /// <summary>Whether it writes still.</summary>
    public bool IsWriting { get; private set; } = true;

    /// <summary>Ends writing, and waits until all is acknowledged. The group stays.</summary>
    /// <exception cref="InvalidOperationException">The producer saw an error.</exception>
    public void EndWriting()
    {
        IsWriting = false;
        _writer.Finish();
    }

    /// <summary>Waits until the group has read all that has been acknowledged before.</summary>
    public void CatchUp(TimeSpan limit) => _group.WaitFor(_writer.Count, limit);

    /// <summary>Ends writing, waits until the group has read all, and compares what is in the log with what was acknowledged.</summary>
    /// <returns>Records in the log.</returns>
    /// <exception cref="InvalidOperationException">Something was lost, doubled or out of order, or the producer or the group saw an error.</exception>
    public long Check(TimeSpan limit)
    {
        EndWriting();
        _group.Finish(_writer.Count, limit);
        LogCheck.Check(_bootstrapServers, _topic, _partitions, _writer);
        return _writer.Count;
    }

    public void Dispose()
    {
        _group.Dispose();
        _writer.Dispose();
    }
}
