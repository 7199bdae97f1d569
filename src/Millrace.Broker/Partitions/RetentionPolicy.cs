using Millrace.Broker.Partitions.Lookup;
using Millrace.Metadata.Configs;
using Millrace.Streams;

namespace Millrace.Broker.Partitions;

/// <summary>What a topic's retention gives up: whole pieces from the old end, by age and by size. Pure.</summary>
internal static class RetentionPolicy
{
    /// <summary>The offset that the log should begin at, or null if nothing has to go.</summary>
    /// <param name="extents">Oldest first.</param>
    /// <param name="settings">The topic's.</param>
    /// <param name="now">Milliseconds since the Unix epoch.</param>
    /// <param name="highWatermark">What is not durable is never given up.</param>
    public static long? NewLogStart(IReadOnlyList<StreamExtent> extents, TopicSettings settings, long now, long highWatermark)
    {
        if (!settings.DeletesOldRecords)
        {
            return null;
        }

        long? start = null;
        var size = 0L;
        foreach (var extent in extents)
        {
            size += extent.Bytes;
        }

        foreach (var extent in extents)
        {
            if (extent.EndOffset > highWatermark || !(IsTooOld(extent) || IsTooMuch(extent, size)))
            {
                break;
            }

            size -= extent.Bytes;
            start = extent.EndOffset;
        }

        return start;

        // Records without timestamps are as old as their append. What may be young is kept.
        bool IsTooOld(in StreamExtent extent) =>
            settings.RetentionMs >= 0
            && (extent.MaxTimestamp >= 0 ? extent.MaxTimestamp : UntimedAge.AppendedAt(extent.MaxTimestamp)) is { } time
            && now - time > settings.RetentionMs;

        // As much as the limit allows stays: a piece goes only if the rest still fills it.
        bool IsTooMuch(in StreamExtent extent, long remaining) =>
            settings.RetentionBytes >= 0 && remaining - extent.Bytes >= settings.RetentionBytes;
    }
}
