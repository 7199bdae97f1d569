using Microsoft.Extensions.Logging;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>
/// What object logs log: event ids 200 to 219. Warnings for what an operator may have to look into; that the store fails is said by
/// <see cref="StoreWatch"/>, once for all who repeat their calls.
/// </summary>
internal static partial class ObjectLogMessages
{
    [LoggerMessage(EventId = 200, Level = LogLevel.Debug, Message = "Creating {Key} has an unknown outcome (attempt {Attempt})")]
    public static partial void CreateUnknown(ILogger logger, string key, int attempt, Exception reason);

    [LoggerMessage(EventId = 202, Level = LogLevel.Debug, Message = "Reading {Key} failed (attempt {Attempt})")]
    public static partial void ReadFailed(ILogger logger, string key, int attempt, Exception reason);

    [LoggerMessage(EventId = 203, Level = LogLevel.Information, Message = "Log {Prefix}: this node owns term {Term}")]
    public static partial void Owns(ILogger logger, string prefix, long term);

    [LoggerMessage(
        EventId = 204, Level = LogLevel.Warning, Message = "Log {Prefix}: somebody has ended term {Term} at index {Index}; this node can append no more")]
    public static partial void Fenced(ILogger logger, string prefix, long term, long index);

    [LoggerMessage(EventId = 205, Level = LogLevel.Debug, Message = "Log {Prefix} is trimmed up to {Boundary}: {Deleted} objects deleted")]
    public static partial void Trimmed(ILogger logger, string prefix, LogPlace boundary, long deleted);
}
