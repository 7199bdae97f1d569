using Microsoft.Extensions.Logging;
using Millrace.Controller.Nodes;
using Millrace.Controller.Topics;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime.Ids;

namespace Millrace.Controller;

/// <summary>
/// What the controller logs: events 5000 to 5099. Information: what changes the cluster's shape. Warning: what the operator may have
/// to look at. Debug: upkeep, and each failure of the store, which says itself when it fails and when it no longer does.
/// </summary>
internal static partial class ControllerMessages
{
    [LoggerMessage(EventId = 5000, Level = LogLevel.Information, Message = "The cluster {ClusterId} has been formed")]
    public static partial void ClusterFormed(ILogger logger, string clusterId);

    [LoggerMessage(EventId = 5001, Level = LogLevel.Information, Message = "Node {Node} has registered, epoch {Epoch}, at {Endpoints}")]
    public static partial void NodeRegistered(ILogger logger, NodeId node, NodeEpoch epoch, string endpoints);

    [LoggerMessage(EventId = 5002, Level = LogLevel.Information, Message = "Node {Node}, epoch {Epoch}, is fenced: of its partitions {Plan}")]
    public static partial void NodeFenced(ILogger logger, NodeId node, NodeEpoch epoch, SuccessionPlan plan);

    [LoggerMessage(EventId = 5003, Level = LogLevel.Warning, Message = "What WAL {Wal} held of {Stream} has been given up")]
    public static partial void LossAccepted(ILogger logger, Guid wal, WaitingStream stream);

    [LoggerMessage(EventId = 5010, Level = LogLevel.Debug, Message = "A snapshot of the metadata before {Place}, version {Version}, has been taken")]
    public static partial void SnapshotTaken(ILogger logger, LogPlace place, MetadataVersion version);

    [LoggerMessage(EventId = 5011, Level = LogLevel.Error, Message = "The metadata snapshot {Key} is damaged and passed over: {Damage}")]
    public static partial void SnapshotDamaged(ILogger logger, string key, string damage);

    [LoggerMessage(EventId = 5012, Level = LogLevel.Debug, Message = "The object store failed while {Activity}; it is tried again: {Failure}")]
    public static partial void StorageFailed(ILogger logger, string activity, string failure);

    [LoggerMessage(EventId = 5013, Level = LogLevel.Error, Message = "The metadata before {Place} has no snapshot that the log could be cut behind: {Reason}")]
    public static partial void SnapshotFailed(ILogger logger, LogPlace place, string reason);

    [LoggerMessage(EventId = 5020, Level = LogLevel.Debug, Message = "{Count} objects have been deleted")]
    public static partial void ObjectsDeleted(ILogger logger, int count);

    [LoggerMessage(
        EventId = 5021, Level = LogLevel.Warning,
        Message = "{Count} objects and unfinished uploads that the metadata does not know have been deleted")]
    public static partial void LeaksDeleted(ILogger logger, int count);
}
