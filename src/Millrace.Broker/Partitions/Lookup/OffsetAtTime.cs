namespace Millrace.Broker.Partitions.Lookup;

/// <summary>An offset that was asked for by time.</summary>
/// <param name="Offset">-1 if there is none.</param>
/// <param name="Timestamp">The record's, milliseconds since the Unix epoch; -1 if the question was not about one.</param>
/// <param name="LeaderEpoch">The epoch that the offset belongs to; -1 if unknown.</param>
internal readonly record struct OffsetAtTime(long Offset, long Timestamp, int LeaderEpoch)
{
    public static OffsetAtTime None => new(-1, -1, LeaderEpochs.None);
}
