using System.Diagnostics.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Broker.Purgatory;
using Millrace.Coordination.Groups;
using Millrace.Runtime.Buffers;

namespace Millrace.Broker;

/// <summary>What the broker measures of data, partitions and groups. No label names a topic: there may be thousands.</summary>
/// <remarks>Threading: any thread. What is observed is read when somebody asks, without a lock on any hot path.</remarks>
internal sealed class BrokerMetrics : IDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Millrace.Broker";

    private static readonly PartitionPhase[] Phases = Enum.GetValues<PartitionPhase>();

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _messagesIn;
    private readonly Counter<long> _bytesIn;
    private readonly Counter<long> _bytesOut;
    private int _producesWaiting;

    public BrokerMetrics()
    {
        _messagesIn = _meter.CreateCounter<long>("millrace.messages.in", "{record}", "Records that clients produced and partitions took");
        _bytesIn = _meter.CreateCounter<long>("millrace.bytes.in", unit: null, "Bytes of these records, as they are stored");
        _bytesOut = _meter.CreateCounter<long>("millrace.bytes.out", unit: null, "Bytes of records that fetches were answered with");
    }

    /// <summary>Measures what there is on this node, from now on.</summary>
    public void Observe(PartitionTable partitions, FetchPurgatory fetches, GroupCoordinator groups, BufferPool buffers)
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
                new(Volatile.Read(ref _producesWaiting), KeyValuePair.Create("operation", (object?)"Produce")),
                new(fetches.Waiting, KeyValuePair.Create("operation", (object?)"Fetch")),
            },
            "{request}",
            "Requests that wait: produces for room or to be durable, fetches for records");
        _meter.CreateObservableGauge("millrace.partitions", () => ByPhase(partitions), "{partition}", "Partitions that this node leads, by state");
        _meter.CreateObservableGauge("millrace.partition.records", () => Records(partitions), "{record}", "Records from log start to high watermark, over all partitions led here");
        _meter.CreateObservableGauge("millrace.offline.partitions", () => Offline(partitions), "{partition}", "Partitions of the cluster without a leader");
        _meter.CreateObservableGauge("millrace.topics", () => partitions.Image.Topics.Count, "{topic}", "Topics of the cluster");
        _meter.CreateObservableGauge("millrace.brokers", () => partitions.Image.LiveNodes.Count(), "{broker}", "Live brokers of the cluster");
        _meter.CreateObservableGauge("millrace.groups", () => groups.GroupCount, "{group}", "Groups whose coordinator this node is");
    }

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

    /// <summary>One produce that waits. A structure, since there is one for every request.</summary>
    internal readonly struct ProduceWait(BrokerMetrics metrics) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref metrics._producesWaiting);
    }
}
