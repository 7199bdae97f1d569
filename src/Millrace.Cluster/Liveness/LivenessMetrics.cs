using System.Diagnostics.Metrics;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Cluster.Liveness;

/// <summary>What a node measures of the life of its cluster; most of it only where the controller is.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class LivenessMetrics : IDisposable
{
    private static readonly InstrumentAdvice<double> DurationBuckets = new() { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] };

    private readonly NodeRuntime _runtime;
    private readonly Meter _meter = new("Millrace.Cluster");
    private readonly Counter<long> _changes;
    private readonly Counter<long> _fences;
    private readonly Histogram<double> _failovers;
    private Guid _controller;

    /// <param name="runtime">Whose time counts.</param>
    /// <param name="lapses">How often the lease has ended.</param>
    /// <param name="sessions">Of the controller, while it lives here.</param>
    public LivenessMetrics(NodeRuntime runtime, Func<long> lapses, Func<LivenessJudge?> sessions)
    {
        _runtime = runtime;
        _changes = _meter.CreateCounter<long>("millrace.controller.changes", "{change}", "Controllers that this node has followed or been, one after another");
        _fences = _meter.CreateCounter<long>("millrace.fences", "{fence}", "Nodes that the controller has given up");
        _failovers = _meter.CreateHistogram(
            "millrace.failover.duration", "s", "From a node's fence until all partitions that it led have leaders again", tags: null, DurationBuckets);
        _meter.CreateObservableCounter("millrace.lease.lapses", lapses, "{lapse}", "How often the lease for reads had ended, and came again");
        _meter.CreateObservableGauge("millrace.controller.leads", () => sessions() is null ? 0 : 1, "{controller}", "1 where the controller is");
        _meter.CreateObservableGauge(
            "millrace.node.heartbeat.age",
            () => (sessions()?.Ages() ?? []).Select(
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

    public void Fenced(FenceCause cause) => _fences.Add(1, Tag(cause));

    /// <summary>The partitions that a node leads.</summary>
    public static IReadOnlyList<(Guid Topic, int Partition)> LedBy(MetadataImage image, NodeId node) =>
        [
            .. image.Topics.Values.SelectMany(
                topic => topic.Partitions.Where(partition => partition.Leader == node).Select(partition => (topic.Id, partition.Index))),
        ];

    /// <summary>Measures how long partitions have no leader.</summary>
    public async Task WatchFailoverAsync(IMetadataFeed metadata, IReadOnlyList<(Guid Topic, int Partition)> led, FenceCause cause, CancellationToken ending)
    {
        var began = _runtime.Time.GetTimestamp();
        await metadata.WaitAsync(
            image => led.All(one => !image.TryGetTopic(one.Topic, out var topic) || topic.FindPartition(one.Partition)?.Leader is not null), ending);
        _failovers.Record(_runtime.Time.GetElapsedTime(began).TotalSeconds, Tag(cause));
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Tag(FenceCause cause) => KeyValuePair.Create("cause", (object?)cause.ToString());
}
