using System.Diagnostics.Metrics;

namespace Millrace.Streams.Compaction;

/// <summary>What object compaction has done here. Threading: any thread.</summary>
public sealed class CompactionMetrics : IAsyncDisposable
{
    private readonly Meter _meter = new(StreamsMetrics.MeterName);

    public CompactionMetrics()
    {
        Jobs = _meter.CreateCounter<long>("millrace.compaction.jobs", "{job}", "Merges of objects that were begun, by how they ended: done, given up, failed");
        BytesRead = _meter.CreateCounter<long>("millrace.compaction.read", "By", "Bytes of objects read to be merged");
        BytesWritten = _meter.CreateCounter<long>("millrace.compaction.written", "By", "Bytes of merged objects that were committed");
        Objects = _meter.CreateCounter<long>("millrace.compaction.objects", "{object}", "Merged objects that were committed");
        Ranges = _meter.CreateCounter<long>("millrace.compaction.ranges", "{range}", "Ranges of streams that others took the place of");
    }

    internal Counter<long> BytesRead { get; }

    internal Counter<long> BytesWritten { get; }

    internal Counter<long> Objects { get; }

    internal Counter<long> Ranges { get; }

    private Counter<long> Jobs { get; }

    internal void Ended(string how) => Jobs.Add(1, KeyValuePair.Create("outcome", (object?)how));

    public ValueTask DisposeAsync()
    {
        _meter.Dispose();
        return ValueTask.CompletedTask;
    }
}
