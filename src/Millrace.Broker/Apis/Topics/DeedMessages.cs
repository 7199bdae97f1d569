using Microsoft.Extensions.Logging;
using Millrace.Network.Requests;
using Millrace.Metadata.Configs;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>
/// Tells the log what clients have changed in the cluster's shape, and which of them: topics that came, grew or went, and configurations.
/// Events 4200 to 4209, all information; what was refused, or only validated, is no deed.
/// </summary>
internal sealed partial class DeedMessages(ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger<DeedMessages>();

    public void Created(RequestContext context, CreateTopicsRequest request, CreateTopicsResponse response)
    {
        foreach (var topic in response.Topics.Where(topic => !request.ValidateOnly && topic.ErrorCode == 0))
        {
            var configs = request.Topics.First(wanted => wanted.Name == topic.Name).Configs;
            TopicCreated(_logger, topic.Name, topic.NumPartitions, Listed(configs.Select(config => (config.Name, config.Value))), Who(context));
        }
    }

    public void Deleted(RequestContext context, DeleteTopicsResponse response)
    {
        foreach (var topic in response.Responses.Where(topic => topic.ErrorCode == 0))
        {
            TopicDeleted(_logger, topic.Name, topic.TopicId, Who(context));
        }
    }

    public void Grown(RequestContext context, CreatePartitionsRequest request, CreatePartitionsResponse response)
    {
        foreach (var topic in response.Results.Where(topic => !request.ValidateOnly && topic.ErrorCode == 0))
        {
            TopicGrown(_logger, topic.Name, request.Topics.First(wanted => wanted.Name == topic.Name).Count, Who(context));
        }
    }

    public void Changed(RequestContext context, IncrementalAlterConfigsRequest request, IncrementalAlterConfigsResponse response)
    {
        foreach (var resource in response.Responses.Where(resource => !request.ValidateOnly && resource.ErrorCode == 0))
        {
            var changes = request.Resources
                .First(wanted => wanted.ResourceType == resource.ResourceType && wanted.ResourceName == resource.ResourceName).Configs
                .Select(Shown);
            ConfigChanged(_logger, Named(resource.ResourceType, resource.ResourceName), string.Join(", ", changes), Who(context));
        }
    }

    public void Replaced(RequestContext context, AlterConfigsRequest request, AlterConfigsResponse response)
    {
        foreach (var resource in response.Responses.Where(resource => !request.ValidateOnly && resource.ErrorCode == 0))
        {
            var configs = request.Resources
                .First(wanted => wanted.ResourceType == resource.ResourceType && wanted.ResourceName == resource.ResourceName).Configs;
            ConfigReplaced(
                _logger, Named(resource.ResourceType, resource.ResourceName), Listed(configs.Select(config => (config.Name, config.Value))), Who(context));
        }
    }

    private static string Who(RequestContext context) => $"client '{context.ClientId}' at {context.Connection.Remote}";

    // An empty name of a broker stands for all of them.
    private static string Named(sbyte type, string name) =>
        (ConfigResourceType)type == ConfigResourceType.Topic ? $"topic {name}" : name.Length == 0 ? "all brokers" : $"broker {name}";

    private static string Listed(IEnumerable<(string Name, string? Value)> configs)
    {
        var shown = string.Join(", ", configs.Select(config => Shown(config.Name, config.Value)));
        return shown.Length == 0 ? "nothing" : shown;
    }

    private static string Shown(string name, string? value) => $"{name}={value}";

    private static string Shown(IncrementalAlterConfigsRequest.AlterableConfig config) => (ConfigOperation)config.ConfigOperation switch
    {
        ConfigOperation.Delete => $"{config.Name} is unset",
        ConfigOperation.Append => $"{config.Name}+={config.Value}",
        ConfigOperation.Subtract => $"{config.Name}-={config.Value}",
        _ => Shown(config.Name, config.Value),
    };

    [LoggerMessage(
        EventId = 4200, Level = LogLevel.Information,
        Message = "Topic {Topic} has been created; partitions: {Partitions}; set for it: {Configs}. By {Client}")]
    private static partial void TopicCreated(ILogger logger, string topic, int partitions, string configs, string client);

    [LoggerMessage(EventId = 4201, Level = LogLevel.Information, Message = "Topic {Topic} (id {TopicId}) has been deleted. By {Client}")]
    private static partial void TopicDeleted(ILogger logger, string? topic, Guid topicId, string client);

    [LoggerMessage(EventId = 4202, Level = LogLevel.Information, Message = "Topic {Topic} has {Partitions} partitions now. By {Client}")]
    private static partial void TopicGrown(ILogger logger, string topic, int partitions, string client);

    [LoggerMessage(EventId = 4203, Level = LogLevel.Information, Message = "The configuration of {Resource} has been changed: {Changes}. By {Client}")]
    private static partial void ConfigChanged(ILogger logger, string resource, string changes, string client);

    [LoggerMessage(
        EventId = 4204, Level = LogLevel.Information,
        Message = "The configuration of {Resource} has been replaced; set for it now: {Configs}. By {Client}")]
    private static partial void ConfigReplaced(ILogger logger, string resource, string configs, string client);
}
