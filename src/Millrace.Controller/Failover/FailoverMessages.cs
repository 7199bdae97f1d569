using Microsoft.Extensions.Logging;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Failover;

/// <summary>Events 5100 to 5199: what becomes of the WALs of former incarnations. Warning: the operator may have to act.</summary>
internal static partial class FailoverMessages
{
    [LoggerMessage(EventId = 5100, Level = LogLevel.Information, Message = "Recovering WAL {Wal} ({Location}): {Streams} of its streams are this node's")]
    public static partial void Recovering(ILogger logger, Guid wal, string location, int streams);

    [LoggerMessage(
        EventId = 5101, Level = LogLevel.Warning,
        Message = "WAL {Wal} of node {Node}, epoch {Epoch}, is not available: {Reason} Waiting for it, without a leader: {Streams}. {Advice}")]
    public static partial void WalMissing(ILogger logger, Guid wal, NodeId node, NodeEpoch epoch, string reason, string streams, string advice);

    [LoggerMessage(
        EventId = 5102, Level = LogLevel.Warning,
        Message = "Given up, as --accept-loss says: {Streams}. Acknowledged records in WAL {Wal} are lost to them")]
    public static partial void LossAccepted(ILogger logger, string streams, Guid wal);

    [LoggerMessage(EventId = 5103, Level = LogLevel.Warning, Message = "The retired WAL {Wal} still takes space, and the next start tries again: {Reason}")]
    public static partial void WalNotDiscarded(ILogger logger, Guid wal, string reason);

    [LoggerMessage(
        EventId = 5104, Level = LogLevel.Warning,
        Message =
            "The WAL {Path} is none that this cluster needs or may delete: it belongs to another cluster, or was given up. " +
            "If you know that neither needs it, delete it")]
    public static partial void UnknownWal(ILogger logger, string path);

    [LoggerMessage(EventId = 5105, Level = LogLevel.Warning, Message = "The folder of the WALs cannot be listed: {Reason}")]
    public static partial void WalsNotListed(ILogger logger, string reason);

    [LoggerMessage(
        EventId = 5106, Level = LogLevel.Information,
        Message = "Giving back what retired WALs take has ended early, and the next start goes on: {Reason}")]
    public static partial void NotGivenBack(ILogger logger, string reason);

    [LoggerMessage(
        EventId = 5107, Level = LogLevel.Information,
        Message =
            "Recovered {Streams} streams of node {Node}, epoch {Epoch}, from WAL {Wal}, and leads them: {Records} records read, {Bytes} bytes committed. " +
            "Sealed in {Sealing} ms, read in {Reading} ms, committed in {Committing} ms, led in {Completing} ms")]
    public static partial void Recovered(
        ILogger logger, int streams, NodeId node, NodeEpoch epoch, Guid wal, long records, long bytes, long sealing, long reading, long committing,
        long completing);
}
