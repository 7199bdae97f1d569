using System.Diagnostics.Metrics;

namespace Millrace.Broker.Metrics;

/// <summary>How long partitions stop that this node hands over.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class HandOverMetrics : IDisposable
{
    // Close together where a hand-over on a local directory is, and one over a store far away.
    private static readonly InstrumentAdvice<double> Buckets = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5, 5, 10],
    };

    private readonly Meter _meter = new(BrokerMeter.Name);
    private readonly Histogram<double> _stops;

    public HandOverMetrics() => _stops = _meter.CreateHistogram(
        "millrace.handover.stop.duration",
        "s",
        "How long a partition that was handed over to another broker had stopped, until that one led it",
        advice: Buckets);

    /// <summary>So many partitions went together.</summary>
    public void HandedOver(int partitions, TimeSpan stop)
    {
        for (var i = 0; i < partitions; i++)
        {
            _stops.Record(stop.TotalSeconds);
        }
    }

    public void Dispose() => _meter.Dispose();
}
