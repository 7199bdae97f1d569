using System.Diagnostics.Metrics;

namespace Millrace.Broker.Metrics;

/// <summary>What the broker measures of data that comes and goes. A few nanoseconds a batch or request.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class DataMetrics : IDisposable
{
    private readonly Meter _meter = new(BrokerMeter.Name);
    private readonly Counter<long> _messagesIn;
    private readonly Counter<long> _bytesIn;
    private readonly Counter<long> _bytesOut;
    private int _producesWaiting;

    public DataMetrics()
    {
        _messagesIn = _meter.CreateCounter<long>("millrace.messages.in", "{record}", "Records that clients produced and partitions took");
        _bytesIn = _meter.CreateCounter<long>("millrace.bytes.in", unit: null, "Bytes of these records, as they are stored");
        _bytesOut = _meter.CreateCounter<long>("millrace.bytes.out", unit: null, "Bytes of records that fetches were answered with");
    }

    /// <summary>Produces that wait for room or to be durable.</summary>
    public int ProducesWaiting => Volatile.Read(ref _producesWaiting);

    public void Produced(int records, int bytes)
    {
        _messagesIn.Add(records);
        _bytesIn.Add(bytes);
    }

    public void Fetched(long bytes) => _bytesOut.Add(bytes);

    /// <summary>A produce waits, until what this returns is disposed, once.</summary>
    public ProduceWait ProduceWaits()
    {
        Interlocked.Increment(ref _producesWaiting);
        return new ProduceWait(this);
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>One produce that waits. A structure, since there is one for every request.</summary>
    internal readonly struct ProduceWait(DataMetrics metrics) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref metrics._producesWaiting);
    }
}
