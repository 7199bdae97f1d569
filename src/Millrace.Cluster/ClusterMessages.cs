using Microsoft.Extensions.Logging;
using Millrace.Runtime.Ids;

namespace Millrace.Cluster;

/// <summary>Events 7000 to 7099: this process' place in its cluster.</summary>
internal static partial class ClusterMessages
{
    [LoggerMessage(EventId = 7000, Level = LogLevel.Information, Message = "The controller is at {Host}:{Port}")]
    public static partial void Follows(ILogger logger, string host, int port);

    [LoggerMessage(EventId = 7001, Level = LogLevel.Information, Message = "The controller at {Host}:{Port} is lost: {How}")]
    public static partial void ControllerLost(ILogger logger, string host, int port, FollowEnd how);

    [LoggerMessage(EventId = 7002, Level = LogLevel.Information, Message = "This process is the controller now")]
    public static partial void Leads(ILogger logger);

    [LoggerMessage(EventId = 7003, Level = LogLevel.Information, Message = "This process is the controller no longer: {Reason}")]
    public static partial void LeadsNoMore(ILogger logger, string reason);

    [LoggerMessage(EventId = 7005, Level = LogLevel.Warning, Message = "Node {Node}, epoch {Epoch}, is fenced: {Cause}")]
    public static partial void Fences(ILogger logger, NodeId node, NodeEpoch epoch, string cause);

    [LoggerMessage(EventId = 7006, Level = LogLevel.Information, Message = "Node {Node} could not be fenced yet: {Reason}")]
    public static partial void NotFenced(ILogger logger, NodeId node, string reason);

    [LoggerMessage(EventId = 7007, Level = LogLevel.Information, Message = "This process stands by for the controller's place")]
    public static partial void StandsBy(ILogger logger);

    [LoggerMessage(
        EventId = 7008,
        Level = LogLevel.Warning,
        Message = "The metadata cannot be read to stand by for the controller's place, which is tried again in a minute: {Reason}")]
    public static partial void CannotStandBy(ILogger logger, string reason);

    [LoggerMessage(
        EventId = 7009, Level = LogLevel.Warning,
        Message = "Node {Node}, epoch {Epoch}, was fenced for its silence, and lives: for ten minutes it is given twice the time. "
            + "If that comes again, its machine or its network is overloaded, or millrace.fence.ms is too short for them")]
    public static partial void FencedWrongly(ILogger logger, NodeId node, NodeEpoch epoch);

    [LoggerMessage(EventId = 7004, Level = LogLevel.Warning, Message = "The cluster's metadata could not be read or taken over, and is tried again: {Reason}")]
    public static partial void TriesAgain(ILogger logger, string reason);

    [LoggerMessage(
        EventId = 7010,
        Level = LogLevel.Warning,
        Message = "What the controller at {Host}:{Port} tells does not follow what is known here, which is read in the bucket instead: {Reason}")]
    public static partial void DoesNotFollow(ILogger logger, string host, int port, string reason);
}
