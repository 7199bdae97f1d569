using System.Diagnostics.Metrics;

namespace Millrace.Streams;

/// <summary>The stream store's measurements; the server exports the meter.</summary>
internal sealed class StreamsMetrics : IDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Millrace.Streams";

    // From a local disk's best to where something is wrong.
    private static readonly InstrumentAdvice<double> UploadBuckets = new() { HistogramBucketBoundaries = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64] };

    private readonly Meter _meter = new(MeterName);

    public StreamsMetrics()
    {
        BytesAppended = _meter.CreateCounter<long>("millrace.streams.appended", "By", "Payload bytes appended");
        BytesUploaded = _meter.CreateCounter<long>("millrace.streams.uploaded", "By", "Bytes of committed objects");
        ObjectsCommitted = _meter.CreateCounter<long>("millrace.streams.objects", "{object}", "Objects committed");
        UploadSeconds = _meter.CreateHistogram(
            "millrace.streams.upload.duration", "s", "From cutting an upload to its commit", tags: null, UploadBuckets);
        UploadFailures = _meter.CreateCounter<long>("millrace.streams.upload.failures", "{failure}", "Steps of uploads that failed; they are repeated until they are done");
        LogCacheReads = _meter.CreateCounter<long>("millrace.streams.reads.log_cache", "{read}", "Reads served from records still in memory");
        BlockReads = _meter.CreateCounter<long>("millrace.streams.reads.blocks", "{block}", "Data blocks read, from cache or store");
        BlockMisses = _meter.CreateCounter<long>("millrace.streams.reads.block_misses", "{block}", "Data blocks that had to be fetched from the store");
    }

    public Counter<long> BytesAppended { get; }

    public Counter<long> BytesUploaded { get; }

    public Counter<long> ObjectsCommitted { get; }

    public Histogram<double> UploadSeconds { get; }

    public Counter<long> UploadFailures { get; }

    public Counter<long> LogCacheReads { get; }

    public Counter<long> BlockReads { get; }

    public Counter<long> BlockMisses { get; }

    /// <summary>Measures a store's memory and WAL, from now on.</summary>
    public void Observe(StreamStore store)
    {
        _meter.CreateObservableGauge("millrace.streams.memory", () => store.Budget.Held, "By", "Memory held by the log cache, uploaded records that stay for readers included");
        _meter.CreateObservableGauge(
            "millrace.streams.not_uploaded", () => store.NotUploadedBytes, "By", "Memory held by records that only the WAL has");
        _meter.CreateObservableGauge(
            "millrace.streams.not_uploaded.limit", () => store.Options.NotUploadedBytes, "By", "Where producers begin to wait (millrace.not.uploaded.max.bytes)");
        _meter.CreateObservableGauge("millrace.streams.appends.waiting", () => store.Budget.Waiting, "{append}", "Appends that wait for room, since uploads do not keep up");
        _meter.CreateObservableGauge("millrace.wal.fullness", () => store.Components.Wal.Fullness, "1", "How much of a file WAL is in use, 0 to 1; uploads empty it");
        _meter.CreateObservableGauge("millrace.streams.open", () => store.Streams.Count, "{stream}", "Open streams");
    }

    public void Dispose() => _meter.Dispose();
}
