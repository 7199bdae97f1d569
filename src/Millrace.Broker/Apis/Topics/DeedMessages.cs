using Microsoft.Extensions.Logging;

namespace Millrace.Broker.Apis.Topics;

/// <summary>
/// Topics that came, grew, moved or went, brokers that were removed, and configurations that were changed, with the client that did it. Events 4200 to
/// 4209, all information.
/// </summary>
internal static partial class DeedMessages
{
    [LoggerMessage(
        EventId = 4200, Level = LogLevel.Information,
        Message = "Topic {Topic} has been created; partitions: {Partitions}; set for it: {Configs}. By {Client}")]
    public static partial void TopicCreated(ILogger logger, string topic, int partitions, string configs, string client);

    [LoggerMessage(EventId = 4201, Level = LogLevel.Information, Message = "Topic {Topic} (id {TopicId}) has been deleted. By {Client}")]
    public static partial void TopicDeleted(ILogger logger, string? topic, Guid topicId, string client);

    [LoggerMessage(EventId = 4202, Level = LogLevel.Information, Message = "Topic {Topic} has {Partitions} partitions now. By {Client}")]
    public static partial void TopicGrown(ILogger logger, string topic, int partitions, string client);

    [LoggerMessage(EventId = 4203, Level = LogLevel.Information, Message = "The configuration of {Resource} has been changed: {Changes}. By {Client}")]
    public static partial void ConfigChanged(ILogger logger, string resource, string changes, string client);

    [LoggerMessage(
        EventId = 4204, Level = LogLevel.Information,
        Message = "The configuration of {Resource} has been replaced; set for it now: {Configs}. By {Client}")]
    public static partial void ConfigReplaced(ILogger logger, string resource, string configs, string client);

    [LoggerMessage(EventId = 4205, Level = LogLevel.Information, Message = "Broker {Broker}, which was away, belongs to the cluster no more. By {Client}")]
    public static partial void BrokerRemoved(ILogger logger, int broker, string client);

    [LoggerMessage(
        EventId = 4206, Level = LogLevel.Information,
        Message = "{Count} partitions of topic {Topic} have been reassigned: {Partitions}. By {Client}")]
    public static partial void Reassigned(ILogger logger, string topic, int count, string partitions, string client);

    [LoggerMessage(
        EventId = 4207, Level = LogLevel.Information,
        Message = "{Count} partitions of topic {Topic} have their preferred leaders again: {Partitions}. By {Client}")]
    public static partial void LeadersElected(ILogger logger, string topic, int count, string partitions, string client);
}
