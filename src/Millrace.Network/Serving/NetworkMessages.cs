using System.Net;
using Microsoft.Extensions.Logging;
using Millrace.Protocol;

namespace Millrace.Network.Serving;

/// <summary>Events 4000 to 4099. What a peer does by leaving is debug, what it does wrong is information; only our own faults are errors.</summary>
internal static partial class NetworkMessages
{
    [LoggerMessage(EventId = 4000, Level = LogLevel.Information, Message = "Listening on {Address} ({Listener})")]
    public static partial void Listening(ILogger logger, EndPoint? address, string listener);

    [LoggerMessage(EventId = 4001, Level = LogLevel.Debug, Message = "{Connection} accepted from {Remote}")]
    public static partial void Accepted(ILogger logger, string connection, EndPoint? remote);

    [LoggerMessage(EventId = 4002, Level = LogLevel.Debug, Message = "{Connection} from {Remote} ended")]
    public static partial void Ended(ILogger logger, string connection, EndPoint? remote);

    [LoggerMessage(EventId = 4003, Level = LogLevel.Information, Message = "{Connection} from {Remote} is cut: {Reason}")]
    public static partial void Cutting(ILogger logger, string connection, EndPoint? remote, string reason);

    [LoggerMessage(EventId = 4004, Level = LogLevel.Information, Message = "{Connection} from {Remote} sent what cannot be served and is closed: {Reason}")]
    public static partial void Refused(ILogger logger, string connection, EndPoint? remote, string reason);

    [LoggerMessage(EventId = 4005, Level = LogLevel.Error, Message = "{Connection} from {Remote} is closed: serving it failed unexpectedly")]
    public static partial void Fault(ILogger logger, Exception fault, string connection, EndPoint? remote);

    [LoggerMessage(EventId = 4006, Level = LogLevel.Error, Message = "{Api} v{Version} failed unexpectedly; {Connection} from {Remote} is closed")]
    public static partial void CallFault(ILogger logger, Exception fault, ApiKey api, short version, string connection, EndPoint? remote);

    [LoggerMessage(
        EventId = 4007, Level = LogLevel.Warning,
        Message = "A connection from {Remote} is closed: its address has max.connections.per.ip={Bound} already")]
    public static partial void TooManyFromAddress(ILogger logger, EndPoint? remote, int bound);

    [LoggerMessage(
        EventId = 4008, Level = LogLevel.Warning,
        Message =
            "{Connections} connections are open, as many as {Bound} allows: new ones wait until others end. " +
            "Raise it, or find the clients that open so many")]
    public static partial void Full(ILogger logger, int connections, string bound);

    [LoggerMessage(EventId = 4009, Level = LogLevel.Information, Message = "Draining {Connections} connections")]
    public static partial void Draining(ILogger logger, int connections);

    [LoggerMessage(EventId = 4010, Level = LogLevel.Warning, Message = "{Connections} connections did not end in time and are cut")]
    public static partial void Cut(ILogger logger, int connections);

    [LoggerMessage(EventId = 4011, Level = LogLevel.Information, Message = "New connections have not had to wait lately: {Connections} are open")]
    public static partial void NotFull(ILogger logger, int connections);

    [LoggerMessage(EventId = 4012, Level = LogLevel.Debug, Message = "{Connection} from {Remote} was lost: {Reason}")]
    public static partial void Lost(ILogger logger, string connection, EndPoint? remote, string reason);

    [LoggerMessage(EventId = 4013, Level = LogLevel.Debug, Message = "{Connection} from {Remote} is closed: it was idle")]
    public static partial void Idle(ILogger logger, string connection, EndPoint? remote);

    [LoggerMessage(
        EventId = 4014, Level = LogLevel.Information,
        Message = "{Connection} from {Remote} is closed: a request arrives too slowly, {Bytes} bytes in {Seconds} s")]
    public static partial void SlowFrame(ILogger logger, string connection, EndPoint? remote, long bytes, long seconds);

    [LoggerMessage(EventId = 4015, Level = LogLevel.Warning, Message = "A connection from {Remote} is closed: it could not be taken in: {Reason}")]
    public static partial void NotTakenIn(ILogger logger, EndPoint? remote, string reason);
}
