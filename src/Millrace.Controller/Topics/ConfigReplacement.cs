using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;

namespace Millrace.Controller.Topics;

/// <summary>
/// AlterConfigs, older than IncrementalAlterConfigs: the configs that are named become all that a topic or broker has of its own. So it
/// is those changes with the removal of every other.
/// </summary>
internal sealed class ConfigReplacement(ConfigChanges changes)
{
    public AlterConfigsResponse Replace(PendingEntry entry, AlterConfigsRequest request)
    {
        var altered = changes.Alter(entry, new IncrementalAlterConfigsRequest
        {
            Resources = [.. request.Resources.Select(resource => ToChanges(entry, resource))],
            ValidateOnly = request.ValidateOnly,
        });
        return new AlterConfigsResponse
        {
            Responses =
            [
                .. altered.Responses.Select(response => new AlterConfigsResponse.AlterConfigsResourceResponse
                {
                    ErrorCode = response.ErrorCode,
                    ErrorMessage = response.ErrorMessage,
                    ResourceType = response.ResourceType,
                    ResourceName = response.ResourceName,
                }),
            ],
        };
    }

    private static IncrementalAlterConfigsRequest.AlterConfigsResource ToChanges(PendingEntry entry, AlterConfigsRequest.AlterConfigsResource resource)
    {
        var named = resource.Configs.Select(config => config.Name).ToHashSet(StringComparer.Ordinal);
        return new IncrementalAlterConfigsRequest.AlterConfigsResource
        {
            ResourceType = resource.ResourceType,
            ResourceName = resource.ResourceName,
            Configs =
            [
                .. resource.Configs.Select(config => new IncrementalAlterConfigsRequest.AlterableConfig
                {
                    Name = config.Name,
                    ConfigOperation = (sbyte)ConfigOperation.Set,
                    Value = config.Value,
                }),
                .. Present(entry.Cluster, resource)
                    .Where(name => !named.Contains(name))
                    .Select(name => new IncrementalAlterConfigsRequest.AlterableConfig { Name = name, ConfigOperation = (sbyte)ConfigOperation.Delete }),
            ],
        };
    }

    /// <summary>
    /// The configs that go if they are not named. What an internal topic cannot be without stays, and so does what the scaler keeps among those of all brokers:
    /// whoever replaces these does not know of it.
    /// </summary>
    private static IEnumerable<string> Present(MetadataImage cluster, AlterConfigsRequest.AlterConfigsResource resource)
    {
        if (resource.ResourceType == (sbyte)ConfigResourceType.Topic && cluster.TryGetTopic(resource.ResourceName, out var topic))
        {
            return topic.Configs.Keys.Where(name => InternalTopics.CheckConfig(topic.Name, name, null) is null);
        }

        return resource.ResourceType == (sbyte)ConfigResourceType.Broker && ConfigResourceName.ToBroker(resource.ResourceName) is { } node
            && cluster.BrokerConfigs.TryGetValue(node, out var configs) ? configs.Keys.Where(name => !ScalerMemory.ConfigNames.Contains(name)) : [];
    }
}
