using Microsoft.Extensions.Logging;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>What the scaler logs: events 5220 to 5239.</summary>
internal static partial class ScaleMessages
{
    [LoggerMessage(EventId = 5220, Level = LogLevel.Information, Message = "There are {Current} brokers, and there should be {Desired}: {Why}")]
    public static partial void Wants(ILogger logger, int current, int desired, string why);

    [LoggerMessage(EventId = 5221, Level = LogLevel.Information, Message = "Broker {Victim} is drained, to be stopped then: {Why}")]
    public static partial void Drains(ILogger logger, NodeId victim, string why);

    [LoggerMessage(EventId = 5222, Level = LogLevel.Information, Message = "Broker {Victim} is drained no more, and leads its share again: {Why}")]
    public static partial void LetsGo(ILogger logger, NodeId victim, string why);

    [LoggerMessage(EventId = 5223, Level = LogLevel.Information, Message = "Nothing was changed: {Reason}")]
    public static partial void NotBegun(ILogger logger, string reason);

    [LoggerMessage(EventId = 5224, Level = LogLevel.Debug, Message = "The scaler finds: {Why}")]
    public static partial void Finds(ILogger logger, string why);

    [LoggerMessage(EventId = 5225, Level = LogLevel.Error, Message = "The scaler has failed at one look, and looks again")]
    public static partial void Failed(ILogger logger, Exception fault);

    [LoggerMessage(
        EventId = 5226, Level = LogLevel.Information,
        Message = "The scaler's command is run: {Current} brokers, {Desired} desired, victim {Victim} (attempt {Attempt})")]
    public static partial void Runs(ILogger logger, int current, int desired, NodeId? victim, int attempt);

    [LoggerMessage(EventId = 5227, Level = LogLevel.Information, Message = "The scaler's command has ended well, after {Milliseconds} ms")]
    public static partial void RunDone(ILogger logger, long milliseconds);

    [LoggerMessage(
        EventId = 5228, Level = LogLevel.Warning,
        Message =
            "The scaler's command has not done what it was told ({Outcome}, attempt {Attempt}, after {Milliseconds} ms): {Words}. " +
            "It is run again in {Seconds} s if that is wanted then; see to it that it can do its work, or set millrace.scaler.mode to off")]
    public static partial void RunFailed(ILogger logger, HookOutcome outcome, int attempt, long milliseconds, string words, long seconds);

    [LoggerMessage(
        EventId = 5230, Level = LogLevel.Warning,
        Message =
            "Broker {Broker} leads partitions and has not told of its load for {Minutes} minutes: how many brokers there should be is found without it, and " +
            "none is taken away. Restart it")]
    public static partial void Ignores(ILogger logger, NodeId broker, int minutes);

    [LoggerMessage(EventId = 5231, Level = LogLevel.Information, Message = "All brokers that lead partitions tell of their loads again")]
    public static partial void IgnoresNobody(ILogger logger);

    [LoggerMessage(EventId = 5229, Level = LogLevel.Information, Message = "Broker {Victim}, which was to go, has gone")]
    public static partial void HasGone(ILogger logger, NodeId victim);
}
