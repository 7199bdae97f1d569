using Microsoft.Extensions.Logging;
using Millrace.Runtime.Ids;

namespace Millrace.Streams;

/// <summary>What the stream store logs. Event ids 3000 to 3049.</summary>
/// <remarks>
/// Error: data is at risk or a stream is lost. Warning: something is retried. Information: rare events of a node's life. Debug: the rest, and what is
/// retried because the object store fails, which the store says itself, once for all.
/// </remarks>
internal static partial class StreamsMessages
{
    [LoggerMessage(EventId = 3000, Level = LogLevel.Warning, Message = "{Operation} failed and is tried again in {Delay}: {Reason}")]
    public static partial void Retrying(ILogger logger, string operation, TimeSpan delay, string reason);

    [LoggerMessage(EventId = 3015, Level = LogLevel.Debug, Message = "{Operation} failed, and is tried again in {Delay}: {Reason}")]
    public static partial void RetryingStore(ILogger logger, string operation, TimeSpan delay, string reason);

    [LoggerMessage(EventId = 3001, Level = LogLevel.Error, Message = "{Operation} failed in a way that nobody expected, and is tried again in {Delay}")]
    public static partial void RetryingUnexpected(ILogger logger, Exception failure, string operation, TimeSpan delay);

    [LoggerMessage(EventId = 3002, Level = LogLevel.Error, Message = "Stream {Stream} is lost to this node ({Error}): {Reason}")]
    public static partial void StreamLost(ILogger logger, StreamId stream, StreamError error, string reason);

    [LoggerMessage(EventId = 3003, Level = LogLevel.Error, Message = "All streams are lost to this node ({Error}): {Reason}")]
    public static partial void AllLost(ILogger logger, StreamError error, string reason);

    [LoggerMessage(
        EventId = 3004, Level = LogLevel.Warning, Message = "The objects of an upload expired before it was committed; it is repeated under new ids")]
    public static partial void PrepareExpired(ILogger logger);

    [LoggerMessage(EventId = 3005, Level = LogLevel.Debug, Message = "Uploaded {Bytes} bytes of {Streams} streams in {Objects} objects, in {Elapsed}")]
    public static partial void Uploaded(ILogger logger, long bytes, int streams, int objects, TimeSpan elapsed);

    [LoggerMessage(EventId = 3006, Level = LogLevel.Error, Message = "The state of stream {Stream} could not be captured; its upload waits for the next round")]
    public static partial void CaptureFailed(ILogger logger, Exception failure, StreamId stream);

    [LoggerMessage(EventId = 3007, Level = LogLevel.Warning, Message = "The WAL {Location} could not be trimmed; it is tried again after the next upload")]
    public static partial void TrimFailed(ILogger logger, string location, Exception failure);

    [LoggerMessage(EventId = 3008, Level = LogLevel.Debug, Message = "Reading ahead in stream {Stream} failed: {Reason}")]
    public static partial void ReadAheadFailed(ILogger logger, StreamId stream, string reason);

    [LoggerMessage(
        EventId = 3011, Level = LogLevel.Warning,
        Message = "Nothing more of the lost stream {Stream} can be uploaded: the WAL keeps its records no longer")]
    public static partial void LostSettled(ILogger logger, StreamId stream);

    [LoggerMessage(EventId = 3012, Level = LogLevel.Warning, Message = "WAL {Wal} is recovered and still takes its space: {Reason}")]
    public static partial void NotGivenBack(ILogger logger, Guid wal, string reason);

    [LoggerMessage(
        EventId = 3013, Level = LogLevel.Warning,
        Message = "An upload of {Records} records cannot be done at once ({Reason}), and is done in two parts")]
    public static partial void UploadSplit(ILogger logger, int records, string reason);

    [LoggerMessage(EventId = 3014, Level = LogLevel.Debug, Message = "Stream {Stream} has been deleted, and ends on this node")]
    public static partial void StreamDeleted(ILogger logger, StreamId stream);

    [LoggerMessage(EventId = 3016, Level = LogLevel.Debug, Message = "Merged {Objects} objects of {Bytes} bytes")]
    public static partial void Compacted(ILogger logger, int objects, long bytes);

    [LoggerMessage(EventId = 3017, Level = LogLevel.Debug, Message = "Objects were not merged; they are given out again: {Reason}")]
    public static partial void CompactionGivenUp(ILogger logger, string reason);

    [LoggerMessage(
        EventId = 3018, Level = LogLevel.Error,
        Message = "Objects cannot be merged, and stay as they are (millrace store verify says what else is damaged): {Reason}")]
    public static partial void CompactionDamage(ILogger logger, string reason);

    [LoggerMessage(EventId = 3019, Level = LogLevel.Error, Message = "The controller refuses merged objects; those that they were made of stay as they are")]
    public static partial void CompactionRefused(ILogger logger, Exception reason);

    [LoggerMessage(EventId = 3020, Level = LogLevel.Debug, Message = "Where stream {Stream} lies now could not be asked: {Reason}")]
    public static partial void RangesNotRefreshed(ILogger logger, StreamId stream, string reason);

    [LoggerMessage(EventId = 3021, Level = LogLevel.Error, Message = "Objects could not be merged, and stay as they are; it is tried again")]
    public static partial void CompactionFailed(ILogger logger, Exception failure);
}
