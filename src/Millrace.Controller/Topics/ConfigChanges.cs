using System.Globalization;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>IncrementalAlterConfigs, and through it AlterConfigs, for topics and brokers: a resource's changes all count, or none.</summary>
internal sealed class ConfigChanges(ConfigResolver configs)
{
    public IncrementalAlterConfigsResponse Alter(PendingEntry entry, IncrementalAlterConfigsRequest request)
    {
        var resources = request.Resources.CountBy(resource => (resource.ResourceType, resource.ResourceName)).ToDictionary();
        var responses = new List<IncrementalAlterConfigsResponse.AlterConfigsResourceResponse>(request.Resources.Count);
        foreach (var resource in request.Resources.DistinctBy(resource => (resource.ResourceType, resource.ResourceName)))
        {
            var response = new IncrementalAlterConfigsResponse.AlterConfigsResourceResponse
            {
                ResourceType = resource.ResourceType,
                ResourceName = resource.ResourceName,
            };
            try
            {
                if (resources[(resource.ResourceType, resource.ResourceName)] > 1)
                {
                    throw new AdminException(ErrorCode.InvalidRequest, "Each resource must appear at most once.");
                }

                entry.Run(pending => Alter(pending, resource), keep: !request.ValidateOnly);
            }
            catch (AdminException refusal)
            {
                response.ErrorCode = (short)refusal.Error;
                response.ErrorMessage = refusal.Message;
            }

            responses.Add(response);
        }

        return new IncrementalAlterConfigsResponse { Responses = responses };
    }

    private bool Alter(PendingEntry entry, IncrementalAlterConfigsRequest.AlterConfigsResource resource)
    {
        if (resource.Configs.DistinctBy(config => config.Name, StringComparer.Ordinal).Count() != resource.Configs.Count)
        {
            throw new AdminException(ErrorCode.InvalidRequest, "Error due to duplicate config keys");
        }

        switch ((ConfigResourceType)resource.ResourceType)
        {
            case ConfigResourceType.Topic:
                AlterTopic(entry, resource);
                break;
            case ConfigResourceType.Broker:
                AlterBroker(entry, resource);
                break;
            default:
                throw new AdminException(ErrorCode.InvalidRequest, $"Unexpected resource type {resource.ResourceType}.");
        }

        return true;
    }

    private void AlterTopic(PendingEntry entry, IncrementalAlterConfigsRequest.AlterConfigsResource resource)
    {
        if (!entry.Cluster.TryGetTopic(resource.ResourceName, out var topic))
        {
            throw new AdminException(ErrorCode.UnknownTopicOrPartition, $"The topic '{resource.ResourceName}' does not exist.");
        }

        foreach (var config in resource.Configs)
        {
            var definition = TopicConfigs.Find(config.Name);
            var value = NewValue(config, definition, () => configs.Topic(entry.Cluster, topic, definition!).Value);
            if (((value is null ? null : TopicConfigs.Check(config.Name, value)) ?? InternalTopics.CheckConfig(topic.Name, config.Name, value)) is { } problem)
            {
                throw new AdminException(ErrorCode.InvalidConfig, problem);
            }

            if (topic.Configs.GetValueOrDefault(config.Name) != value)
            {
                entry.Add(new TopicConfigRecord { TopicId = topic.Id, Name = config.Name, Value = value });
            }
        }
    }

    private void AlterBroker(PendingEntry entry, IncrementalAlterConfigsRequest.AlterConfigsResource resource)
    {
        var node = MetadataImage.AllBrokers;
        if (resource.ResourceName.Length > 0)
        {
            if (!int.TryParse(resource.ResourceName, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                || !entry.Cluster.Nodes.ContainsKey(node = new NodeId(id)))
            {
                throw new AdminException(ErrorCode.InvalidRequest, $"There is no broker '{resource.ResourceName}'.");
            }
        }

        foreach (var config in resource.Configs)
        {
            var definition = BrokerConfigs.Find(config.Name);
            var value = NewValue(config, definition, () => configs.Broker(entry.Cluster, definition!).Value);
            if (value is not null && BrokerConfigs.CheckDynamic(config.Name, value) is { } problem)
            {
                throw new AdminException(ErrorCode.InvalidRequest, problem);
            }

            if (entry.Cluster.BrokerConfigs.GetValueOrDefault(node)?.GetValueOrDefault(config.Name) != value)
            {
                entry.Add(new BrokerConfigRecord { NodeId = node.Value, Name = config.Name, Value = value });
            }
        }
    }

    /// <summary>The value that an operation leaves behind; null for none.</summary>
    private static string? NewValue(IncrementalAlterConfigsRequest.AlterableConfig config, ConfigDefinition? definition, Func<string?> present)
    {
        var operation = (ConfigOperation)config.ConfigOperation;
        if (operation == ConfigOperation.Delete)
        {
            return null;
        }

        if (operation is not (ConfigOperation.Set or ConfigOperation.Append or ConfigOperation.Subtract))
        {
            throw new AdminException(ErrorCode.InvalidRequest, $"Unknown operation type {config.ConfigOperation}");
        }

        if (config.Value is null)
        {
            throw new AdminException(ErrorCode.InvalidRequest, $"Null value not supported for : {config.Name}");
        }

        if (operation == ConfigOperation.Set)
        {
            return config.Value;
        }

        if (definition is null)
        {
            throw new AdminException(ErrorCode.InvalidConfig, $"Unknown config name: {config.Name}");
        }

        if (definition.Type != ConfigType.List)
        {
            throw new AdminException(
                ErrorCode.InvalidConfig,
                $"Can't {(operation == ConfigOperation.Append ? "APPEND" : "SUBTRACT")} to key {config.Name} because its type is not LIST.");
        }

        var items = ConfigDefinition.ListItems(present() ?? "").ToList();
        var change = ConfigDefinition.ListItems(config.Value).ToArray();
        items.RemoveAll(change.Contains);
        if (operation == ConfigOperation.Append)
        {
            items.AddRange(change);
        }

        return string.Join(',', items);
    }
}
