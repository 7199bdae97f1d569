using System.Diagnostics.Metrics;

namespace Millrace.Cluster.Liveness;

/// <summary>What a node measures of the life of its cluster; most of it only where the controller is.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class LivenessMetrics : IDisposable
{
    private static readonly InstrumentAdvice<double> DurationBuckets = new() { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] };

    private readonly Meter _meter = new("Millrace.Cluster");
    private readonly Counter<long> _changes;
    private readonly Counter<long> _fences;
    private readonly Histogram<double> _failovers;
    private Guid _controller;

    /// <param name="lapses">How often the lease has ended.</param>
    /// <param name="judge">Of the controller, while it lives here.</param>
    public LivenessMetrics(Func<long> lapses, Func<LivenessJudge?> judge)
    {
        _changes = _meter.CreateCounter<long>("millrace.controller.changes", "{change}", "Controllers that this node has followed or been, one after another");
        _fences = _meter.CreateCounter<long>("millrace.fences", "{fence}", "Nodes that were shut out, by the controller or by their next incarnation");
        _failovers = _meter.CreateHistogram(
            "millrace.failover.duration", "s", "From a node's end until all partitions that it led have leaders again", tags: null, DurationBuckets);
        _meter.CreateObservableGauge(
            "millrace.failover.partitions", () => PerCause(judge(), waiting => waiting.Partitions), "{partition}", "Partitions that have no leader now");
        _meter.CreateObservableGauge(
            "millrace.failover.age",
            () => PerCause(judge(), waiting => waiting.Age.TotalSeconds),
            "s",
            "How long the first of the partitions that have no leader now has had none");
        _meter.CreateObservableCounter("millrace.lease.lapses", lapses, "{lapse}", "How often the lease for reads had ended, and came again");
        _meter.CreateObservableGauge("millrace.controller.leads", () => judge() is null ? 0 : 1, "{controller}", "1 where the controller is");
        _meter.CreateObservableGauge(
            "millrace.node.heartbeat.age",
            () => (judge()?.Ages() ?? []).Select(
                found => new Measurement<double>(found.Age.TotalSeconds, KeyValuePair.Create("node", (object?)found.Node.Value))),
            "s",
            "How long ago the controller has heard each other node");
    }

    public void ControllerFound(Guid id)
    {
        if (_controller != id)
        {
            _controller = id;
            _changes.Add(1);
        }
    }

    /// <summary>An incarnation has ended; whoever left was not shut out.</summary>
    public void Lost(LossCause cause)
    {
        if (cause != LossCause.Left)
        {
            _fences.Add(1, Tag(cause));
        }
    }

    /// <summary>All that an incarnation led is led again.</summary>
    public void Recovered(LossCause cause, TimeSpan took) => _failovers.Record(took.TotalSeconds, Tag(cause));

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<T>> PerCause<T>(LivenessJudge? judge, Func<(int Partitions, TimeSpan Age), T> value)
        where T : struct =>
        judge is null ? [] : judge.Failovers.Waiting().Select(waiting => new Measurement<T>(value(waiting.Value), Tag(waiting.Key)));

    private static KeyValuePair<string, object?> Tag(LossCause cause) => KeyValuePair.Create("cause", (object?)cause.ToString());
}
