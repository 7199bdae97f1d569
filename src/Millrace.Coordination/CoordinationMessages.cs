using Microsoft.Extensions.Logging;
using Millrace.Coordination.Shards;

namespace Millrace.Coordination;

/// <summary>What the coordinators log; event ids 6000 to 6099.</summary>
/// <remarks>
/// Debug: a shard has come. Information: a group's generation changes, or a shard goes with the leadership of its partition.
/// Warning: something is tried again. Error: the log of a shard cannot be read, or a fault of ours; only these have a stack trace. What the log
/// does not take or give in time, because the store below it fails, is debug: the store says that once for all.
/// </remarks>
internal static partial class CoordinationMessages
{
    public static void LoadFailed(ILogger logger, string partition, CoordinatorError error, string reason) =>
        LoadFailed(logger, LevelOf(error), partition, reason);

    public static void AppendFailed(ILogger logger, string partition, CoordinatorError error, string reason) =>
        AppendFailed(logger, LevelOf(error), partition, error, reason);

    [LoggerMessage(
        EventId = 6000, Level = LogLevel.Debug, Message = "Loaded {Partition}: {Records} records, and {Before} that were read before it was led here")]
    public static partial void Loaded(ILogger logger, string partition, long records, long before);

    [LoggerMessage(EventId = 6001, Message = "Could not load {Partition} yet, and tries again: {Reason}")]
    public static partial void LoadFailed(ILogger logger, LogLevel level, string partition, string reason);

    [LoggerMessage(EventId = 6002, Level = LogLevel.Error, Message = "{Partition} cannot be loaded; its groups are not served here")]
    public static partial void LoadGivenUp(ILogger logger, string partition, Exception failure);

    [LoggerMessage(
        EventId = 6003, Level = LogLevel.Warning, Message = "{Partition} holds a record of a kind that this version does not know, and leaves it out")]
    public static partial void UnknownRecord(ILogger logger, string partition);

    [LoggerMessage(EventId = 6004, Message = "An append to {Partition} failed ({Error}); its state is read anew from the log: {Reason}")]
    private static partial void AppendFailed(ILogger logger, LogLevel level, string partition, CoordinatorError error, string reason);

    [LoggerMessage(EventId = 6005, Level = LogLevel.Error, Message = "An operation on {Partition} failed; its state is read anew from the log")]
    public static partial void OperationFailed(ILogger logger, string partition, Exception failure);

    [LoggerMessage(EventId = 6006, Level = LogLevel.Information, Message = "{Partition} is not led here any more, or deleted: {Reason}")]
    public static partial void NotHere(ILogger logger, string partition, string reason);

    [LoggerMessage(EventId = 6007, Level = LogLevel.Error, Message = "An append to {Partition} failed unexpectedly; its state is read anew from the log")]
    public static partial void AppendFault(ILogger logger, string partition, Exception failure);

    [LoggerMessage(EventId = 6008, Level = LogLevel.Debug, Message = "{Partition} was written anew, and begins at {Offset}")]
    public static partial void Rewritten(ILogger logger, string partition, long offset);

    [LoggerMessage(
        EventId = 6009, Level = LogLevel.Debug, Message = "What {Partition} holds below {Offset} cannot be deleted yet, and is tried again: {Reason}")]
    public static partial void TrimFailed(ILogger logger, string partition, long offset, string reason);

    [LoggerMessage(EventId = 6010, Level = LogLevel.Information, Message = "Group {Group} leaves generation {Generation} to rebalance: {Reason}")]
    public static partial void Rebalancing(ILogger logger, string group, int generation, string reason);

    [LoggerMessage(EventId = 6011, Level = LogLevel.Information, Message = "Group {Group} begins generation {Generation} with {Members} members")]
    public static partial void GenerationBegun(ILogger logger, string group, int generation, int members);

    [LoggerMessage(EventId = 6012, Level = LogLevel.Information, Message = "Group {Group} is empty at generation {Generation}")]
    public static partial void GroupEmpty(ILogger logger, string group, int generation);

    [LoggerMessage(EventId = 6013, Level = LogLevel.Information, Message = "Group {Group}: static member {Member} takes the place of {Former}")]
    public static partial void MemberReplaced(ILogger logger, string group, string member, string former);

    [LoggerMessage(EventId = 6014, Level = LogLevel.Debug, Message = "{Partition}, which is to be led here, cannot be read beforehand: {Reason}")]
    public static partial void WarmUpFailed(ILogger logger, string partition, string reason);

    private static LogLevel LevelOf(CoordinatorError error) => error == CoordinatorError.Unavailable ? LogLevel.Debug : LogLevel.Warning;
}
