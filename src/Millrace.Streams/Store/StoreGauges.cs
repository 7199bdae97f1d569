using System.Diagnostics.Metrics;
using Millrace.Streams.Wal;

namespace Millrace.Streams.Store;

/// <summary>What a store's memory and WAL look like at any moment, and how often its memory was of use.</summary>
internal static class StoreGauges
{
    /// <summary>Measures a store from now on.</summary>
    public static void Observe(Meter meter, StreamStore store)
    {
        meter.CreateObservableGauge(
            "millrace.streams.memory", () => store.Budget.Held, "By", "Memory held by the log cache, uploaded records that stay for readers included");
        meter.CreateObservableGauge("millrace.streams.not_uploaded", () => store.NotUploadedBytes, "By", "Memory held by records that only the WAL has");
        meter.CreateObservableGauge(
            "millrace.streams.not_uploaded.limit", () => store.Options.NotUploadedBytes, "By",
            "Where producers begin to wait (millrace.not.uploaded.max.bytes)");
        meter.CreateObservableGauge(
            "millrace.streams.appends.waiting", () => store.Budget.Waiting, "{append}", "Appends that wait for room, since uploads do not keep up");
        meter.CreateObservableGauge(
            "millrace.streams.upload.interval", () => store.Planner.Interval.TotalSeconds, "s",
            "How long records may wait for their upload: longer where many streams have little");
        meter.CreateObservableGauge(
            "millrace.wal.fullness",
            () => store.Components.Wals.All.Select(wal => Of(wal, wal.Fullness)),
            "1",
            "How much each WAL holds, 0 to 1: of its file or device, or of twice the objects at which an upload begins; uploads empty it");
        meter.CreateObservableGauge(
            "millrace.wal.streams",
            () => store.Components.Wals.All.Select(wal => Of(wal, store.Streams.Count(stream => stream.Core.Wal == wal))),
            "{stream}",
            "Open streams whose records are durable in each WAL until they are uploaded");
        meter.CreateObservableCounter(
            "millrace.streams.reads.blocks", () => store.Blocks.Reads, "{block}", "Data blocks read, from cache or store");
        meter.CreateObservableCounter(
            "millrace.streams.reads.block_misses", () => store.Blocks.Misses, "{block}", "Data blocks that had to be fetched from the store");
        meter.CreateObservableGauge("millrace.streams.open", () => store.Streams.Count, "{stream}", "Open streams");
        meter.CreateObservableGauge(
            "millrace.streams.ranges", () => store.Streams.Sum(stream => stream.Core.RangeCount), "{range}",
            "Ranges of open streams in objects, as this node knows them");
    }

    private static Measurement<T> Of<T>(IWriteAheadLog wal, T value)
        where T : struct => new(value, KeyValuePair.Create("kind", (object?)WalKindName.Of(wal.Descriptor.Kind)));
}
