using Microsoft.Extensions.Logging;
using Millrace.Broker.Errors;
using Millrace.Streams;

namespace Millrace.Broker.Partitions;

/// <summary>What partitions log: events 4100 to 4199.</summary>
/// <remarks>
/// Levels: the usual course of a partition's life is debug, its end at the hands of another leader is
/// information; what an operator may have to act on is a warning or an error. What fails because the object store does is debug: the store
/// says itself, once for all, that it fails and that it no longer does.
/// </remarks>
internal static partial class PartitionMessages
{
    public static void NotOpened(ILogger logger, TopicIdPartition partition, int leaderEpoch, StreamError error, string reason) =>
        NotOpened(logger, LevelOf(error, otherwise: LogLevel.Error), partition, leaderEpoch, error, reason);

    public static void Lost(ILogger logger, TopicIdPartition partition, int leaderEpoch, StreamError error) =>
        Lost(logger, LevelOf(error, otherwise: LogLevel.Warning), partition, leaderEpoch, error);

    public static void NotClosedCleanly(ILogger logger, TopicIdPartition partition, int leaderEpoch, StreamError error, string reason) =>
        NotClosedCleanly(logger, LevelOf(error, otherwise: LogLevel.Warning), partition, leaderEpoch, error, reason);

    public static void RetentionFailed(ILogger logger, TopicIdPartition partition, StreamError error, string reason) =>
        RetentionFailed(logger, LevelOf(error, otherwise: LogLevel.Warning), partition, error, reason);

    public static void ReadFailed(ILogger logger, TopicIdPartition partition, long offset, StreamError error, string reason) =>
        ReadFailed(logger, LevelOf(error, otherwise: LogLevel.Warning), partition, offset, reason);

    [LoggerMessage(
        EventId = 4100, Level = LogLevel.Debug,
        Message =
            "Partition {Partition} is open at leader epoch {LeaderEpoch}: " +
            "offsets {LogStartOffset} to {HighWatermark}, {Producers} idempotent producers")]
    public static partial void Opened(ILogger logger, TopicIdPartition partition, int leaderEpoch, long logStartOffset, long highWatermark, int producers);

    [LoggerMessage(
        EventId = 4101,
        Message = "Partition {Partition} at leader epoch {LeaderEpoch} cannot be opened yet, the next attempt is in {Delay}: {Reason}")]
    public static partial void OpeningWaits(ILogger logger, LogLevel level, TopicIdPartition partition, int leaderEpoch, TimeSpan delay, string reason);

    [LoggerMessage(EventId = 4102, Message = "Partition {Partition} cannot be opened at leader epoch {LeaderEpoch} ({Error}): {Reason}")]
    private static partial void NotOpened(ILogger logger, LogLevel level, TopicIdPartition partition, int leaderEpoch, StreamError error, string reason);

    [LoggerMessage(EventId = 4103, Message = "Partition {Partition} at leader epoch {LeaderEpoch} has ended here: {Error}")]
    private static partial void Lost(ILogger logger, LogLevel level, TopicIdPartition partition, int leaderEpoch, StreamError error);

    [LoggerMessage(EventId = 4104, Message = "Partition {Partition} at leader epoch {LeaderEpoch} was not closed cleanly ({Error}): {Reason}")]
    private static partial void NotClosedCleanly(ILogger logger, LogLevel level, TopicIdPartition partition, int leaderEpoch, StreamError error, string reason);

    [LoggerMessage(EventId = 4105, Level = LogLevel.Information, Message = "Retention moves the log start of partition {Partition} from {From} to {To}")]
    public static partial void Retained(ILogger logger, TopicIdPartition partition, long from, long to);

    [LoggerMessage(EventId = 4106, Message = "Retention of partition {Partition} failed with {Error} and is tried again at the next check: {Reason}")]
    private static partial void RetentionFailed(ILogger logger, LogLevel level, TopicIdPartition partition, StreamError error, string reason);

    [LoggerMessage(EventId = 4107, Message = "Reading partition {Partition} at offset {Offset} failed: {Reason}")]
    private static partial void ReadFailed(ILogger logger, LogLevel level, TopicIdPartition partition, long offset, string reason);

    [LoggerMessage(
        EventId = 4108, Level = LogLevel.Error,
        Message = "A batch for partition {Partition} is answered with {Error}: taking it failed unexpectedly")]
    public static partial void ProduceFailed(ILogger logger, TopicIdPartition partition, PartitionError error, Exception failure);

    [LoggerMessage(EventId = 4109, Level = LogLevel.Error, Message = "Partition {Partition} gives its stream up: a batch was appended, and noting it failed")]
    public static partial void NotNoted(ILogger logger, TopicIdPartition partition, Exception failure);

    [LoggerMessage(
        EventId = 4110, Level = LogLevel.Warning,
        Message = "{Producers} idempotent producers are more than millrace.producers.max ({Limit}): the longest idle are forgotten")]
    public static partial void ProducersForgotten(ILogger logger, int producers, int limit);

    [LoggerMessage(
        EventId = 4111, Level = LogLevel.Information,
        Message = "{Count} partitions were handed over after a stop of {Stop:0.0} ms: {Partitions}")]
    public static partial void HandedOver(ILogger logger, int count, double stop, string partitions);

    [LoggerMessage(
        EventId = 4112, Level = LogLevel.Warning,
        Message = "Partition {Partition} is handed over though its next leader has not read it: it was waited for {Seconds} s")]
    public static partial void NextLeaderIsCold(ILogger logger, TopicIdPartition partition, double seconds);

    [LoggerMessage(
        EventId = 4113, Level = LogLevel.Information,
        Message = "{Count} partitions that were to be handed over serve on, and are tried again: what is left of them was not uploaded within {Seconds} s")]
    public static partial void TakenBack(ILogger logger, int count, double seconds);

    [LoggerMessage(
        EventId = 4125, Level = LogLevel.Warning,
        Message = "Topic {Topic} asks for a WAL of the kind {Wal} (millrace.wal), which this broker does not have: what it leads of it lies in its first. "
            + "Start it with one more (--wal), or have the topic ask for another")]
    public static partial void WalIsMissing(ILogger logger, string topic, string wal);

    [LoggerMessage(
        EventId = 4120, Level = LogLevel.Warning,
        Message =
            "Topics with cleanup.policy=compact keep every record, since there is no log cleaning yet: {Topics}. " +
            "Where that is too much, let retention delete (cleanup.policy=compact,delete), or trim them by hand (millrace topic trim)")]
    public static partial void NotCleaned(ILogger logger, string topics);

    private static LogLevel LevelOf(StreamError error, LogLevel otherwise) =>
        // Unknown: the topic was deleted, which is told where it is done; and who lost the controller tells of that.
        error is StreamError.StorageUnavailable or StreamError.ControllerLost or StreamError.Unknown ? LogLevel.Debug
        : PartitionErrors.IsExpectedEnd(error) ? LogLevel.Information
        : otherwise;
}
