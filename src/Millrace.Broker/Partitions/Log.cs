using Millrace.Streams;
using Microsoft.Extensions.Logging;

namespace Millrace.Broker.Partitions;

/// <summary>What partitions log: events 4000 to 4099.</summary>
/// <remarks>Levels: what an operator may have to act on is a warning or an error; the usual course of a partition's life is debug.</remarks>
internal static partial class Log
{
    [LoggerMessage(EventId = 4000, Level = LogLevel.Debug, Message = "Partition {Partition} is open at leader epoch {LeaderEpoch}: offsets {LogStartOffset} to {HighWatermark}, {Producers} idempotent producers")]
    public static partial void Opened(ILogger logger, TopicIdPartition partition, int leaderEpoch, long logStartOffset, long highWatermark, int producers);

    [LoggerMessage(EventId = 4001, Level = LogLevel.Warning, Message = "Partition {Partition} at leader epoch {LeaderEpoch} cannot be opened yet, the next attempt is in {Delay}")]
    public static partial void OpeningWaits(ILogger logger, TopicIdPartition partition, int leaderEpoch, TimeSpan delay, Exception failure);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Error, Message = "Partition {Partition} cannot be opened at leader epoch {LeaderEpoch}")]
    public static partial void NotOpened(ILogger logger, TopicIdPartition partition, int leaderEpoch, Exception failure);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Warning, Message = "Partition {Partition} at leader epoch {LeaderEpoch} is lost here: {Error}")]
    public static partial void Lost(ILogger logger, TopicIdPartition partition, int leaderEpoch, StreamError error);

    [LoggerMessage(EventId = 4004, Level = LogLevel.Warning, Message = "Partition {Partition} at leader epoch {LeaderEpoch} was not closed cleanly: {Error}")]
    public static partial void NotClosedCleanly(ILogger logger, TopicIdPartition partition, int leaderEpoch, StreamError error, Exception failure);

    [LoggerMessage(EventId = 4005, Level = LogLevel.Information, Message = "Retention moves the log start of partition {Partition} from {From} to {To}")]
    public static partial void Retained(ILogger logger, TopicIdPartition partition, long from, long to);

    [LoggerMessage(EventId = 4006, Level = LogLevel.Warning, Message = "Retention of partition {Partition} failed with {Error} and is tried again at the next check")]
    public static partial void RetentionFailed(ILogger logger, TopicIdPartition partition, StreamError error, Exception failure);

    [LoggerMessage(EventId = 4007, Level = LogLevel.Error, Message = "Reading partition {Partition} at offset {Offset} failed")]
    public static partial void ReadFailed(ILogger logger, TopicIdPartition partition, long offset, Exception failure);

    [LoggerMessage(EventId = 4008, Level = LogLevel.Error, Message = "A batch for partition {Partition} is answered with {Error}: taking it failed unexpectedly")]
    public static partial void ProduceFailed(ILogger logger, TopicIdPartition partition, PartitionError error, Exception failure);

    [LoggerMessage(EventId = 4010, Level = LogLevel.Warning, Message = "{Producers} idempotent producers are more than millrace.producers.max ({Limit}): the longest idle are forgotten")]
    public static partial void ProducersForgotten(ILogger logger, int producers, int limit);

    [LoggerMessage(EventId = 4009, Level = LogLevel.Error, Message = "Partition {Partition} gives its stream up: a batch was appended, and noting it failed")]
    public static partial void NotNoted(ILogger logger, TopicIdPartition partition, Exception failure);
}
