using Microsoft.Extensions.Logging;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Balancing;

/// <summary>What the balancer logs: events 5200 to 5219.</summary>
internal static partial class BalanceMessages
{
    [LoggerMessage(
        EventId = 5200, Level = LogLevel.Information,
        Message =
            "{Verb} partition {Topic}-{Partition} from broker {From} to {To}, for {Goal}: it has {Bytes} bytes a second; " +
            "the one goes from {FromBefore:0.##} to {FromAfter:0.##}, the other from {ToBefore:0.##} to {ToAfter:0.##}")]
    public static partial void Moves(
        ILogger logger, string verb, string? topic, int partition, NodeId from, NodeId to, BalanceGoal goal, long bytes,
        double fromBefore, double fromAfter, double toBefore, double toAfter);

    [LoggerMessage(EventId = 5201, Level = LogLevel.Debug, Message = "The balancer waits for: {Reason}")]
    public static partial void Waits(ILogger logger, string reason);

    [LoggerMessage(EventId = 5202, Level = LogLevel.Information, Message = "The balancer's moves could not be begun: {Reason}")]
    public static partial void NotBegun(ILogger logger, string reason);

    [LoggerMessage(EventId = 5203, Level = LogLevel.Error, Message = "The balancer has failed at one look, and looks again")]
    public static partial void Failed(ILogger logger, Exception fault);
}
