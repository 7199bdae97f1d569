using Millrace.Controller.Nodes;
using Millrace.Metadata.Channel;
using Millrace.Streams;

namespace Millrace.Controller.Messages;

/// <summary>Refusals as they are thrown on either side of the channel, and the numbers by which they pass through it.</summary>
internal static class Refusals
{
    /// <summary>What a decision that was refused tells its sender; null for what is no refusal but a fault.</summary>
    public static ControllerError? ErrorOf(Exception refusal) => refusal switch
    {
        StreamException { Error: StreamError.Fenced } => ControllerError.Fenced,
        StreamException { Error: StreamError.Unknown } => ControllerError.UnknownStream,
        StreamException { Error: StreamError.Incomplete } => ControllerError.Incomplete,
        StreamException { Error: StreamError.PrepareExpired } => ControllerError.PrepareExpired,
        ControllerException channel => channel.Error,
        RegistrationException => ControllerError.RegistrationRefused,
        ArgumentException => ControllerError.InvalidRequest,
        _ => null,
    };

    /// <summary>The same on the sender's side, in the words of the stream store and of a start.</summary>
    public static Exception ToException(ControllerError error, string? message, Exception? inner = null) => error switch
    {
        ControllerError.Fenced => new StreamException(StreamError.Fenced, message ?? error.ToString(), inner),
        ControllerError.ControllerLost => new StreamException(StreamError.ControllerLost, message ?? error.ToString(), inner),
        ControllerError.Busy => new StreamException(StreamError.StorageUnavailable, message ?? error.ToString(), inner),
        ControllerError.UnknownStream => new StreamException(StreamError.Unknown, message ?? error.ToString(), inner),
        ControllerError.Incomplete => new StreamException(StreamError.Incomplete, message ?? error.ToString(), inner),
        ControllerError.PrepareExpired => new StreamException(StreamError.PrepareExpired, message ?? error.ToString(), inner),
        ControllerError.RegistrationRefused => new RegistrationException(message ?? ""),
        _ => new ArgumentException(message, inner),
    };
}
