using System.Net;
using Millrace.Runtime.Ids;

namespace Millrace.Server;

/// <summary>Events 9000 to 9099: the node's life.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 9000, Level = LogLevel.Information, Message = "Starting: store {Store}, WAL {Wal}, settings {Settings}")]
    public static partial void Starting(ILogger logger, string store, string wal, string settings);

    [LoggerMessage(EventId = 9001, Level = LogLevel.Warning, Message = "These settings have no effect here: {Settings}")]
    public static partial void WithoutEffect(ILogger logger, string settings);

    [LoggerMessage(EventId = 9002, Level = LogLevel.Information, Message = "The cluster {Cluster} was last controlled by node at {Address}, which does not answer: taking over")]
    public static partial void TakingOver(ILogger logger, string cluster, string address);

    [LoggerMessage(EventId = 9003, Level = LogLevel.Information, Message = "Node {Node}, epoch {Epoch}, of cluster {Cluster}")]
    public static partial void Registered(ILogger logger, NodeId node, NodeEpoch epoch, string cluster);

    [LoggerMessage(EventId = 9004, Level = LogLevel.Information, Message = "Recovering WAL {Wal} ({Location}): {Streams} streams wait for it")]
    public static partial void Recovering(ILogger logger, Guid wal, string location, int streams);

    [LoggerMessage(EventId = 9005, Level = LogLevel.Warning, Message = "WAL {Wal} of node {Node}, epoch {Epoch}, is not available: {Reason} Waiting for it, without a leader: {Streams}. {Advice}")]
    public static partial void WalMissing(ILogger logger, Guid wal, NodeId node, NodeEpoch epoch, string reason, string streams, string advice);

    [LoggerMessage(EventId = 9006, Level = LogLevel.Warning, Message = "Given up, as --accept-loss says: {Streams}. Acknowledged records in WAL {Wal} are lost to them")]
    public static partial void LossAccepted(ILogger logger, string streams, Guid wal);

    [LoggerMessage(EventId = 9007, Level = LogLevel.Information, Message = "Ready on {Address} after {Milliseconds} ms")]
    public static partial void Ready(ILogger logger, EndPoint address, long milliseconds);

    [LoggerMessage(EventId = 9008, Level = LogLevel.Information, Message = "Stopping")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(EventId = 9009, Level = LogLevel.Information, Message = "Stopped: everything acknowledged is in the store")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(EventId = 9010, Level = LogLevel.Warning, Message = "Stopped; what {Streams} streams have not uploaded, in {Bytes} bytes of memory, stays in the WAL {Wal}, and the next start recovers it. {Reason}")]
    public static partial void StoppedDirty(ILogger logger, int streams, long bytes, string wal, string reason);

    [LoggerMessage(EventId = 9011, Level = LogLevel.Warning, Message = "The retired WAL {Wal} still takes space, and the next start tries again: {Reason}")]
    public static partial void WalNotDiscarded(ILogger logger, Guid wal, string reason);

    [LoggerMessage(EventId = 9012, Level = LogLevel.Warning, Message = "The WAL {Path} is none that this cluster needs or may delete: it belongs to another cluster, or was given up. If you know that neither needs it, delete it")]
    public static partial void UnknownWal(ILogger logger, string path);

    [LoggerMessage(EventId = 9013, Level = LogLevel.Warning, Message = "The folder of the WALs cannot be listed: {Reason}")]
    public static partial void WalsNotListed(ILogger logger, string reason);

    [LoggerMessage(EventId = 9014, Level = LogLevel.Critical, Message = "The node stops: {Reason} What is acknowledged is safe; the next start recovers it")]
    public static partial void Failed(ILogger logger, string reason);

    [LoggerMessage(EventId = 9015, Level = LogLevel.Critical, Message = "{Refusal}")]
    public static partial void CannotStart(ILogger logger, string refusal);

    [LoggerMessage(EventId = 9016, Level = LogLevel.Information, Message = "Giving back what retired WALs take has ended early, and the next start goes on: {Reason}")]
    public static partial void NotGivenBack(ILogger logger, string reason);

    [LoggerMessage(EventId = 9017, Level = LogLevel.Warning, Message = "What the making of WALs may have left cannot be removed: {Reason}")]
    public static partial void UnfinishedNotRemoved(ILogger logger, string reason);

    [LoggerMessage(EventId = 9018, Level = LogLevel.Warning, Message = "Stopped; what {Streams} streams have not uploaded, in {Bytes} bytes of memory, is lost with the WAL in memory. {Reason}")]
    public static partial void StoppedWithLoss(ILogger logger, int streams, long bytes, string reason);

    [LoggerMessage(EventId = 9020, Level = LogLevel.Warning, Message = "No connection can be accepted on {Address}: {Reason}. Those that come wait until there is room. If descriptors are lacking, raise the limit of open files (ulimit -n, systemd's LimitNOFILE=) or the system's (fs.file-max)")]
    public static partial void AcceptsNobody(ILogger logger, EndPoint address, string reason);

    [LoggerMessage(EventId = 9021, Level = LogLevel.Information, Message = "Connections are accepted on {Address} again")]
    public static partial void AcceptsAgain(ILogger logger, EndPoint address);

    [LoggerMessage(EventId = 9022, Message = "The process may have {Limit} files open; {KeptBack} are kept back for its own, the WAL, the store and HTTP, so that it accepts {Connections} connections and not max.connections={Wanted}. Raise the limit to {Needed} (ulimit -n, systemd's LimitNOFILE=), or lower max.connections")]
    public static partial void FewDescriptors(ILogger logger, LogLevel level, long limit, int keptBack, int connections, int wanted, long needed);

    [LoggerMessage(EventId = 9030, Level = LogLevel.Warning, Message = "{Count} more lines of the event {Event} were left out in the last minute")]
    public static partial void LeftOut(ILogger logger, int count, string @event);

    [LoggerMessage(EventId = 9040, Level = LogLevel.Information, Message = "Not opened, since there is no quorum of controllers here that needs them: {Listeners}")]
    public static partial void ListenersNotOpened(ILogger logger, string listeners);
}
