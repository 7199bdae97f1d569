using Microsoft.Extensions.Logging;

namespace Millrace.Streams.Wal;

/// <summary>What the WALs log: events 3100 to 3199. Information: once a life. Warning: an operator may want to act.</summary>
internal static partial class WalMessages
{
    private const string Category = "Millrace.Streams.Wal";

    public static void WalSealed(ILoggerFactory loggers, string location, long blocks, long bytes) =>
        WalSealed(loggers.CreateLogger(Category), location, blocks, bytes);

    public static void WalSealed(ILoggerFactory loggers, string location, long objects) =>
        WalSealed(loggers.CreateLogger(Category), location, objects);

    public static void NoDirectWrites(ILoggerFactory loggers, string path) => NoDirectWrites(loggers.CreateLogger(Category), path);

    public static void UnfinishedRemoved(ILoggerFactory loggers, string path) => UnfinishedRemoved(loggers.CreateLogger(Category), path);

    public static void Preempting(ILoggerFactory loggers, string path, string holder) => Preempting(loggers.CreateLogger(Category), path, holder);

    public static void DeviceLabelled(ILoggerFactory loggers, string path, long capacity) => DeviceLabelled(loggers.CreateLogger(Category), path, capacity);

    public static void DeviceAway(ILoggerFactory loggers, string path, string reason) => DeviceAway(loggers.CreateLogger(Category), path, reason);

    public static void DeviceThere(ILoggerFactory loggers, string path) => DeviceThere(loggers.CreateLogger(Category), path);

    [LoggerMessage(EventId = 3100, Level = LogLevel.Information, Message = "Sealed the WAL {Location}: {Blocks} blocks of {Bytes} bytes are to be recovered")]
    private static partial void WalSealed(ILogger logger, string location, long blocks, long bytes);

    [LoggerMessage(EventId = 3101, Level = LogLevel.Information, Message = "The file system of {Path} has no direct writes; the page cache is used")]
    private static partial void NoDirectWrites(ILogger logger, string path);

    [LoggerMessage(EventId = 3102, Level = LogLevel.Information, Message = "Sealed the WAL {Location}: {Objects} objects are to be recovered")]
    private static partial void WalSealed(ILogger logger, string location, long objects);

    [LoggerMessage(
        EventId = 3103, Level = LogLevel.Information,
        Message = "Removed {Path}: the making of a WAL that was cut short has left it, and it never held anything")]
    private static partial void UnfinishedRemoved(ILogger logger, string path);

    [LoggerMessage(
        EventId = 3104, Level = LogLevel.Information,
        Message = "Takes hold of {Path} in the place of {Holder}, whose writes it refuses from now on")]
    private static partial void Preempting(ILogger logger, string path, string holder);

    [LoggerMessage(EventId = 3105, Level = LogLevel.Information, Message = "Labelled {Path}, which held nothing, as a device for WALs of {Capacity} bytes")]
    private static partial void DeviceLabelled(ILogger logger, string path, long capacity);

    [LoggerMessage(
        EventId = 3106, Level = LogLevel.Warning,
        Message = "The device {Path} of millrace.wal.devices cannot be used, so that WALs on it cannot be taken over here: {Reason}")]
    private static partial void DeviceAway(ILogger logger, string path, string reason);

    [LoggerMessage(EventId = 3107, Level = LogLevel.Information, Message = "The device {Path} is there now: WALs on it can be taken over here")]
    private static partial void DeviceThere(ILogger logger, string path);
}
