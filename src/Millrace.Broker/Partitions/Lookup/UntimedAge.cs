namespace Millrace.Broker.Partitions.Lookup;

/// <summary>
/// What the stream keeps as the time of a batch whose records have none: a negative number, so that no lookup by time meets it, and a
/// larger one the later the batch was appended, so that retention knows its age. Kafka takes a segment's file time for that.
/// </summary>
internal static class UntimedAge
{
    /// <param name="appendedAt">Milliseconds since the Unix epoch.</param>
    public static long Of(long appendedAt) => long.MinValue + appendedAt;

    /// <summary>When the newest of a piece's batches was appended; null if the number does not say.</summary>
    public static long? AppendedAt(long maxTimestamp) => maxTimestamp < -1 ? maxTimestamp - long.MinValue : null;
}
