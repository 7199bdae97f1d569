using System.Net;
using Microsoft.Extensions.Logging;
using Millrace.Protocol;

namespace Millrace.Broker.Network;

/// <summary>Events 4000 to 4099. What a peer can cause is at most information; only our own faults are errors.</summary>
internal static partial class NetworkLog
{
    [LoggerMessage(EventId = 4000, Level = LogLevel.Information, Message = "Listening for Kafka clients on {Address} ({Listener})")]
    public static partial void Listening(ILogger logger, EndPoint? address, string listener);

    [LoggerMessage(EventId = 4001, Level = LogLevel.Debug, Message = "{Connection} accepted from {Remote}")]
    public static partial void Accepted(ILogger logger, string connection, EndPoint? remote);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Debug, Message = "{Connection} from {Remote} ended")]
    public static partial void Ended(ILogger logger, string connection, EndPoint? remote);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Information, Message = "{Connection} from {Remote} is closed: {Reason}")]
    public static partial void Closing(ILogger logger, string connection, EndPoint? remote, string reason);

    [LoggerMessage(EventId = 4004, Level = LogLevel.Information, Message = "{Connection} from {Remote} sent what cannot be served and is closed: {Reason}")]
    public static partial void Refused(ILogger logger, string connection, EndPoint? remote, string reason);

    [LoggerMessage(EventId = 4005, Level = LogLevel.Error, Message = "{Connection} from {Remote} is closed: serving it failed unexpectedly")]
    public static partial void Fault(ILogger logger, Exception fault, string connection, EndPoint? remote);

    [LoggerMessage(EventId = 4006, Level = LogLevel.Error, Message = "{Api} v{Version} failed unexpectedly; {Connection} from {Remote} is closed")]
    public static partial void CallFault(ILogger logger, Exception fault, ApiKey api, short version, string connection, EndPoint? remote);

    [LoggerMessage(EventId = 4007, Level = LogLevel.Warning, Message = "A connection from {Remote} was not taken: {Bound} is reached")]
    public static partial void TooMany(ILogger logger, EndPoint? remote, string bound);

    [LoggerMessage(EventId = 4008, Level = LogLevel.Error, Message = "Accepting connections failed; trying again")]
    public static partial void AcceptFailed(ILogger logger, Exception failure);

    [LoggerMessage(EventId = 4009, Level = LogLevel.Information, Message = "Draining {Connections} connections")]
    public static partial void Draining(ILogger logger, int connections);

    [LoggerMessage(EventId = 4010, Level = LogLevel.Warning, Message = "{Connections} connections did not end in time and are cut")]
    public static partial void Cut(ILogger logger, int connections);
}
