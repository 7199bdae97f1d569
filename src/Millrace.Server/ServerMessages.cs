using System.Net;
using Millrace.Runtime.Ids;

namespace Millrace.Server;

/// <summary>Events 9000 to 9099: the node's life.</summary>
internal static partial class ServerMessages
{
    [LoggerMessage(
        EventId = 9000, Level = LogLevel.Information,
        Message = "{Program} starts: store {Store}, WAL {Wal}, settings other than by default: {Settings}")]
    public static partial void Starting(ILogger logger, string program, string store, string wal, string settings);

    [LoggerMessage(EventId = 9001, Message = "{Remark}")]
    public static partial void AboutSettings(ILogger logger, LogLevel level, string remark);

    [LoggerMessage(
        EventId = 9002, Level = LogLevel.Information,
        Message = "The cluster {Cluster} was last controlled by node at {Address}, which does not answer: taking over")]
    public static partial void TakingOver(ILogger logger, string cluster, string address);

    [LoggerMessage(EventId = 9003, Level = LogLevel.Information, Message = "Node {Node}, epoch {Epoch}, of cluster {Cluster}")]
    public static partial void Registered(ILogger logger, NodeId node, NodeEpoch epoch, string cluster);

    [LoggerMessage(EventId = 9004, Level = LogLevel.Debug, Message = "All settings: {Settings}")]
    public static partial void AllSettings(ILogger logger, string settings);

    [LoggerMessage(EventId = 9007, Level = LogLevel.Information, Message = "Ready on {Address} after {Milliseconds} ms")]
    public static partial void Ready(ILogger logger, string address, long milliseconds);

    [LoggerMessage(EventId = 9008, Level = LogLevel.Information, Message = "Stopping")]
    public static partial void Stopping(ILogger logger);

    [LoggerMessage(EventId = 9009, Level = LogLevel.Information, Message = "Stopped: everything acknowledged is in the store")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(
        EventId = 9010, Level = LogLevel.Warning,
        Message =
            "Stopped; what {Streams} streams have not uploaded, in {Bytes} bytes of memory, stays in the WAL {Wal}, " +
            "and the next start recovers it. {Reason}")]
    public static partial void StoppedDirty(ILogger logger, int streams, long bytes, string wal, string reason);

    [LoggerMessage(EventId = 9014, Level = LogLevel.Critical, Message = "The node stops: {Reason} What is acknowledged is safe; the next start recovers it")]
    public static partial void Failed(ILogger logger, string reason);

    [LoggerMessage(EventId = 9015, Level = LogLevel.Critical, Message = "{Refusal}")]
    public static partial void CannotStart(ILogger logger, string refusal);

    [LoggerMessage(EventId = 9017, Level = LogLevel.Warning, Message = "What the making of WALs may have left cannot be removed: {Reason}")]
    public static partial void UnfinishedNotRemoved(ILogger logger, string reason);

    [LoggerMessage(
        EventId = 9018, Level = LogLevel.Warning,
        Message = "Stopped; what {Streams} streams have not uploaded, in {Bytes} bytes of memory, is lost with the WAL in memory. {Reason}")]
    public static partial void StoppedWithLoss(ILogger logger, int streams, long bytes, string reason);

    [LoggerMessage(
        EventId = 9019, Level = LogLevel.Information,
        Message = "HTTP is at {Address}, since another process listens on {Default}. Settle it with millrace.http.listener")]
    public static partial void HttpElsewhere(ILogger logger, string @default, EndPoint address);

    [LoggerMessage(
        EventId = 9020, Level = LogLevel.Warning,
        Message =
            "No connection can be accepted on {Address}: {Reason}. Those that come wait until there is room. " +
            "If descriptors are lacking, raise the limit of open files (ulimit -n, systemd's LimitNOFILE=) or the system's (fs.file-max)")]
    public static partial void AcceptsNobody(ILogger logger, EndPoint address, string reason);

    [LoggerMessage(EventId = 9021, Level = LogLevel.Information, Message = "Connections are accepted on {Address} again")]
    public static partial void AcceptsAgain(ILogger logger, EndPoint address);

    [LoggerMessage(
        EventId = 9022,
        Message =
            "The process may have {Limit} files open; {KeptBack} are kept back for its own, the WAL, the store and HTTP, so that it accepts " +
            "{Connections} connections and not max.connections={Wanted}. " +
            "Raise the limit to {Needed} (ulimit -n, systemd's LimitNOFILE=), or lower max.connections")]
    public static partial void FewDescriptors(ILogger logger, LogLevel level, long limit, int keptBack, int connections, int wanted, long needed);

    [LoggerMessage(
        EventId = 9023, Level = LogLevel.Warning,
        Message =
            "The data directory {Directory} holds logs of Apache Kafka. " +
            "They are not read and not changed: records come over through clients, such as MirrorMaker 2. " +
            "Choose another data directory with --data-dir if Kafka is to run there again")]
    public static partial void KafkasFolder(ILogger logger, string directory);

    [LoggerMessage(EventId = 9030, Level = LogLevel.Warning, Message = "{Count} more lines of the event {Event} were left out in the last minute")]
    public static partial void LeftOut(ILogger logger, int count, string @event);

    [LoggerMessage(EventId = 9040, Level = LogLevel.Warning, Message = "Node {Node}, epoch {Epoch}, is over, and its connections are closed: {Reason}")]
    public static partial void IncarnationOver(ILogger logger, NodeId node, NodeEpoch epoch, string reason);

    [LoggerMessage(
        EventId = 9041, Level = LogLevel.Information,
        Message = "Node {Node}, epoch {Epoch}, has taken the place of the former incarnation, and serves after {Milliseconds} ms")]
    public static partial void Replaced(ILogger logger, NodeId node, NodeEpoch epoch, long milliseconds);

    [LoggerMessage(EventId = 9042, Level = LogLevel.Warning, Message = "A new incarnation could not start ({InARow} of {Most} in a row): {Reason}")]
    public static partial void NotReplaced(ILogger logger, int inARow, int most, string reason);

    [LoggerMessage(
        EventId = 9043, Level = LogLevel.Warning,
        Message = "Stopped between two incarnations: what the former one had not uploaded stays in its WAL, and the next start recovers it")]
    public static partial void StoppedBetween(ILogger logger);

    [LoggerMessage(
        EventId = 9044, Level = LogLevel.Critical,
        Message = "An incarnation ended for a fault of the program, after which none shall follow in this process")]
    public static partial void Fault(ILogger logger, Exception fault);

    [LoggerMessage(
        EventId = 9045, Level = LogLevel.Information,
        Message = "Not opened, since there is no quorum of controllers here that needs them: {Listeners}")]
    public static partial void ListenersNotOpened(ILogger logger, string listeners);

    [LoggerMessage(
        EventId = 9046, Level = LogLevel.Warning,
        Message = "A start that failed could not give back all that it had taken: {Reason}")]
    public static partial void NotPutDown(ILogger logger, string reason);

    [LoggerMessage(
        EventId = 9047, Level = LogLevel.Warning,
        Message = "The partitions whose preferred leader this node is stay where they are for now (kafka-leader-election brings them): {Reason}")]
    public static partial void LeadersNotReturned(ILogger logger, string reason);

    [LoggerMessage(
        EventId = 9048, Level = LogLevel.Warning, Message = "What this node leads is not handed over before it stops, but closed: {Reason}")]
    public static partial void NotEvacuated(ILogger logger, string reason);
}
