using System.Diagnostics.Metrics;

namespace Millrace.Streams;

/// <summary>The stream store's measurements; the server exports the meter.</summary>
internal sealed class StreamsMetrics : IDisposable
{
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Millrace.Streams";

    // From a local disk's best to where something is wrong.
    private static readonly InstrumentAdvice<double> UploadBuckets = new() { HistogramBucketBoundaries = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64] };

    public StreamsMetrics()
    {
        BytesAppended = Meter.CreateCounter<long>("millrace.streams.appended", "By", "Payload bytes appended");
        BytesUploaded = Meter.CreateCounter<long>("millrace.streams.uploaded", "By", "Bytes of committed objects");
        ObjectsCommitted = Meter.CreateCounter<long>("millrace.streams.objects", "{object}", "Objects committed");
        UploadSeconds = Meter.CreateHistogram(
            "millrace.streams.upload.duration", "s", "From cutting an upload to its commit", tags: null, UploadBuckets);
        UploadFailures = Meter.CreateCounter<long>(
            "millrace.streams.upload.failures", "{failure}", "Steps of uploads that failed; they are repeated until they are done");
        LogCacheReads = Meter.CreateCounter<long>("millrace.streams.reads.log_cache", "{read}", "Reads served from records still in memory");
    }

    /// <summary>Where all of them are found, and more may be added.</summary>
    public Meter Meter { get; } = new(MeterName);

    public Counter<long> BytesAppended { get; }

    public Counter<long> BytesUploaded { get; }

    public Counter<long> ObjectsCommitted { get; }

    public Histogram<double> UploadSeconds { get; }

    public Counter<long> UploadFailures { get; }

    public Counter<long> LogCacheReads { get; }

    public void Dispose() => Meter.Dispose();
}
