using Confluent.Kafka;

namespace Millrace.Server.Cli.Seeking;

/// <summary>Where a group is in a partition, and where it may go.</summary>
/// <param name="Partition">Topic and number.</param>
/// <param name="Committed">The group's offset, or null if it has none.</param>
/// <param name="Earliest">The lowest offset that can be read.</param>
/// <param name="Latest">The one that the next record gets.</param>
/// <param name="AtTime">The first record at or after the time that is looked for; null without a time, or if there is none.</param>
internal sealed record SeekPosition(TopicPartition Partition, long? Committed, long Earliest, long Latest, long? AtTime = null)
{
    public string Name => $"{Partition.Topic}-{Partition.Partition.Value}";
}
