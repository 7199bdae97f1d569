using System.Diagnostics.Metrics;
using Millrace.Streams.Recovery;

namespace Millrace.Controller.Failover;

/// <summary>How long the phases of recovering a lost node's WAL take, where they are done: at each survivor, for each share.</summary>
/// <remarks>Threading: any thread.</remarks>
public sealed class RecoveryMetrics : IAsyncDisposable
{
    private static readonly InstrumentAdvice<double> Buckets = new() { HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] };

    private readonly Meter _meter = new("Millrace.Controller");
    private readonly Histogram<double> _phases;

    public RecoveryMetrics() =>
        _phases = _meter.CreateHistogram(
            "millrace.recovery.duration", "s", "Phases of bringing a share of a lost node's WAL: sealed, read, committed, led", tags: null, Buckets);

    /// <summary>A share has been brought.</summary>
    /// <param name="sealing">Until the WAL's writer could acknowledge nothing more.</param>
    /// <param name="times">What came after that.</param>
    public void Recovered(TimeSpan sealing, RecoveryTimes times)
    {
        Record("sealed", sealing);
        Record("read", times.Reading);
        Record("committed", times.Committing);
        Record("led", times.Completing);
    }

    public ValueTask DisposeAsync()
    {
        _meter.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Record(string phase, TimeSpan time) => _phases.Record(time.TotalSeconds, KeyValuePair.Create("phase", (object?)phase));
}
