using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;

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
            var refusal = resources[(resource.ResourceType, resource.ResourceName)] > 1
                ? new Refusal(ErrorCode.InvalidRequest, "Each resource must appear at most once.")
                : entry.Try(pending => Alter(pending, resource), keep: !request.ValidateOnly);
            if (refusal is not null)
            {
                response.ErrorCode = (short)refusal.Error;
                response.ErrorMessage = refusal.Message;
            }

            responses.Add(response);
        }

        return new IncrementalAlterConfigsResponse { Responses = responses };
    }

    private Refusal? Alter(PendingEntry entry, IncrementalAlterConfigsRequest.AlterConfigsResource resource)
    {
        if (resource.Configs.DistinctBy(config => config.Name, StringComparer.Ordinal).Count() != resource.Configs.Count)
        {
            return new Refusal(ErrorCode.InvalidRequest, "Error due to duplicate config keys");
        }

        return (ConfigResourceType)resource.ResourceType switch
        {
            ConfigResourceType.Topic => AlterTopic(entry, resource),
            ConfigResourceType.Broker => AlterBroker(entry, resource),
            _ => new Refusal(ErrorCode.InvalidRequest, $"Unexpected resource type {resource.ResourceType}."),
        };
    }

    private Refusal? AlterTopic(PendingEntry entry, IncrementalAlterConfigsRequest.AlterConfigsResource resource)
    {
        if (!entry.Cluster.TryGetTopic(resource.ResourceName, out var topic))
        {
            return new Refusal(ErrorCode.UnknownTopicOrPartition, $"The topic '{resource.ResourceName}' does not exist.");
        }

        foreach (var config in resource.Configs)
        {
            var definition = TopicConfigs.Find(config.Name);
            if (NewValue(config, definition, () => configs.Topic(entry.Cluster, topic, definition!).Value, out var value) is { } refusal)
            {
                return refusal;
            }

            if (((value is null ? null : TopicConfigs.Check(config.Name, value)) ?? InternalTopics.CheckConfig(topic.Name, config.Name, value)
                ?? TopicWalCheck.Check(entry.Cluster, config.Name, value)) is { } problem)
            {
                return new Refusal(ErrorCode.InvalidConfig, problem);
            }

            if (topic.Configs.GetValueOrDefault(config.Name) != value)
            {
                entry.Add(new TopicConfigRecord { TopicId = topic.Id, Name = config.Name, Value = value });
            }
        }

        return null;
    }

    private Refusal? AlterBroker(PendingEntry entry, IncrementalAlterConfigsRequest.AlterConfigsResource resource)
    {
        if (ConfigResourceName.ToBroker(resource.ResourceName) is not { } node
            || (node != MetadataImage.AllBrokers && !entry.Cluster.Nodes.ContainsKey(node)))
        {
            return new Refusal(ErrorCode.InvalidRequest, $"There is no broker '{resource.ResourceName}'.");
        }

        var before = BrokerDuties.ConfiguredOf(entry.Cluster, node);
        foreach (var config in resource.Configs)
        {
            var definition = BrokerConfigs.Find(config.Name);
            if (NewValue(config, definition, () => configs.Broker(entry.Cluster, definition!).Value, out var value) is { } refusal)
            {
                return refusal;
            }

            if (node == MetadataImage.AllBrokers && BrokerDuties.ConfigNames.Contains(config.Name))
            {
                return new Refusal(ErrorCode.InvalidRequest, $"{config.Name} is set for one broker.");
            }

            if (node != MetadataImage.AllBrokers && ScalerMemory.ConfigNames.Contains(config.Name))
            {
                return new Refusal(ErrorCode.InvalidRequest, $"{config.Name} is set for all brokers.");
            }

            if (value is not null && BrokerConfigs.CheckDynamic(config.Name, value) is { } problem)
            {
                return new Refusal(ErrorCode.InvalidRequest, problem);
            }

            if (entry.Cluster.BrokerConfigs.GetValueOrDefault(node)?.GetValueOrDefault(config.Name) != value)
            {
                entry.Add(new BrokerConfigRecord { NodeId = node.Value, Name = config.Name, Value = value });
            }
        }

        return (before == BrokerDuty.Drained, BrokerDuties.ConfiguredOf(entry.Cluster, node) == BrokerDuty.Drained) switch
        {
            (false, true) => Evacuation.Drain(entry, node),
            (true, false) => LeaderReturn.Undrain(entry, node),
            _ => null,
        };
    }

    /// <summary>The value that an operation leaves behind; null for none.</summary>
    private static Refusal? NewValue(
        IncrementalAlterConfigsRequest.AlterableConfig config, ConfigDefinition? definition, Func<string?> present, out string? value)
    {
        value = null;
        var operation = (ConfigOperation)config.ConfigOperation;
        if (operation == ConfigOperation.Delete)
        {
            return null;
        }

        if (operation is not (ConfigOperation.Set or ConfigOperation.Append or ConfigOperation.Subtract))
        {
            return new Refusal(ErrorCode.InvalidRequest, $"Unknown operation type {config.ConfigOperation}");
        }

        if (config.Value is null)
        {
            return new Refusal(ErrorCode.InvalidRequest, $"Null value not supported for : {config.Name}");
        }

        if (operation == ConfigOperation.Set)
        {
            value = config.Value;
            return null;
        }

        if (definition is null)
        {
            return new Refusal(ErrorCode.InvalidConfig, $"Unknown config name: {config.Name}");
        }

        if (definition.Type != ConfigType.List)
        {
            return new Refusal(
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

        value = string.Join(',', items);
        return null;
    }
}
