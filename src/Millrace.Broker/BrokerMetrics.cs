using System.Diagnostics.Metrics;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Broker.Purgatory;
using Millrace.Coordination.Groups;
using Millrace.Runtime.Buffers;

namespace Millrace.Broker;

/// <summary>What the broker measures of its partitions, groups and memory. No label names a topic here: there may be thousands.</summary>
/// <remarks>Threading: any thread. What is observed is read when somebody asks, without a lock on any hot path.</remarks>
internal sealed class BrokerMetrics : IDisposable
{
    private static readonly PartitionPhase[] Phases = Enum.GetValues<PartitionPhase>();

    private readonly Meter _meter = new(BrokerMeter.Name);

    /// <summary>Measures what there is on this node, from now on.</summary>
    public void Observe(DataMetrics data, PartitionTable partitions, FetchPurgatory fetches, GroupCoordinator groups, BufferPool buffers)
    {
        _meter.CreateObservableGauge(
            "millrace.buffers",
            () => new Measurement<long>[]
            {
                new(buffers.RentedBytes, KeyValuePair.Create("state", (object?)"held")),
                new(buffers.IdleBytes, KeyValuePair.Create("state", (object?)"idle")),
            },
            "By",
            "Native memory: of requests, caches, uploads and answers, and what is kept for the next of them");
        _meter.CreateObservableGauge(
            "millrace.purgatory.size",
            () => new Measurement<long>[]
            {
                new(data.ProducesWaiting, KeyValuePair.Create("operation", (object?)"Produce")),
                new(fetches.Waiting, KeyValuePair.Create("operation", (object?)"Fetch")),
            },
            "{request}",
            "Requests that wait: produces for room or to be durable, fetches for records");
        _meter.CreateObservableGauge("millrace.partitions", () => ByPhase(partitions), "{partition}", "Partitions that this node leads, by state");
        _meter.CreateObservableGauge(
            "millrace.partition.records",
            () => Records(partitions),
            "{record}",
            "Records from log start to high watermark, over all partitions led here");
        _meter.CreateObservableGauge("millrace.offline.partitions", () => Offline(partitions), "{partition}", "Partitions of the cluster without a leader");
        _meter.CreateObservableGauge("millrace.topics", () => partitions.Image.Topics.Count, "{topic}", "Topics of the cluster");
        _meter.CreateObservableGauge("millrace.brokers", () => partitions.Image.LiveNodes.Count(), "{broker}", "Live brokers of the cluster");
        _meter.CreateObservableGauge("millrace.groups", () => groups.GroupCount, "{group}", "Groups whose coordinator this node is");
    }

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<int>> ByPhase(PartitionTable partitions)
    {
        var counts = new int[Phases.Length];
        foreach (var partition in partitions.Led())
        {
            counts[(int)partition.Phase]++;
        }

        return Phases.Select(phase => new Measurement<int>(counts[(int)phase], KeyValuePair.Create("state", (object?)phase.ToString())));
    }

    private static long Records(PartitionTable partitions)
    {
        var records = 0L;
        foreach (var partition in partitions.Led())
        {
            // The start is read first: it never passes the end, and both only rise.
            var start = partition.LogStartOffset;
            records += Math.Max(0, partition.HighWatermark - start);
        }

        return records;
    }

    private static int Offline(PartitionTable partitions)
    {
        var offline = 0;
        foreach (var topic in partitions.Image.Topics.Values)
        {
            foreach (var partition in topic.Partitions)
            {
                offline += partition.Leader is null ? 1 : 0;
            }
        }

        return offline;
    }
}
