using Millrace.Network.Access;
using Millrace.Broker.Membership;
using Millrace.Network.Requests;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>DescribeConfigs (key 32), v1–4.</summary>
/// <remarks>v1: sources and synonyms. v3: types and documentation. Values of passwords are never answered.</remarks>
internal sealed class DescribeConfigsHandler(BrokerIdentity identity, IMetadataFeed feed)
    : IApiHandler<DescribeConfigsRequest, DescribeConfigsResponse>
{
    public static VersionRange Versions => new(1, 4);

    public void ReportErrors(DescribeConfigsResponse response, ErrorTally errors) =>
        errors.Add(response.Results.Select(result => result.ErrorCode));

    public ErrorCode Authorize(RequestContext context, DescribeConfigsRequest request) =>
        ConfigAccess.Authorize(
            context.Access, Operation.DescribeConfigs, request.Resources.Select(resource => (resource.ResourceType, resource.ResourceName)));

    public DescribeConfigsResponse Refuse(RequestContext context, DescribeConfigsRequest request, ErrorCode error) =>
        new() { Results = [.. request.Resources.Select(resource => Failed(resource, error, message: null))] };

    public ValueTask<DescribeConfigsResponse> HandleAsync(RequestContext context, DescribeConfigsRequest request, CancellationToken token)
    {
        var image = feed.Image;
        return ValueTask.FromResult(new DescribeConfigsResponse { Results = [.. request.Resources.Select(resource => Describe(image, request, resource))] });
    }

    private DescribeConfigsResponse.DescribeConfigsResult Describe(
        MetadataImage image, DescribeConfigsRequest request, DescribeConfigsRequest.DescribeConfigsResource resource) =>
        resource.ResourceType switch
        {
            (sbyte)ConfigResourceType.Topic => DescribeTopic(image, request, resource),
            (sbyte)ConfigResourceType.Broker => DescribeBroker(image, request, resource),
            _ => Failed(resource, ErrorCode.InvalidRequest, $"Unsupported resource type: {resource.ResourceType}"),
        };

    private DescribeConfigsResponse.DescribeConfigsResult DescribeTopic(
        MetadataImage image, DescribeConfigsRequest request, DescribeConfigsRequest.DescribeConfigsResource resource)
    {
        if (TopicName.Check(resource.ResourceName) is not null)
        {
            return Failed(resource, ErrorCode.InvalidTopicException, $"Invalid topic name: {resource.ResourceName}");
        }

        return image.TryGetTopic(resource.ResourceName, out var topic)
            ? Describe(request, resource, identity.Configs.Topic(image, topic), canChange: _ => true)
            : Failed(resource, ErrorCode.UnknownTopicOrPartition, $"There is no topic {resource.ResourceName}");
    }

    private DescribeConfigsResponse.DescribeConfigsResult DescribeBroker(
        MetadataImage image, DescribeConfigsRequest request, DescribeConfigsRequest.DescribeConfigsResource resource)
    {
        if (resource.ResourceName.Length == 0)
        {
            // The cluster-wide defaults: only what was set at run time.
            return Describe(
                request,
                resource,
                [.. identity.Configs.Broker(image).Select(OnlyClusterWide).OfType<EffectiveConfig>()],
                canChange: _ => true);
        }

        return ConfigResourceName.ToBroker(resource.ResourceName) == identity.Node
            ? Describe(request, resource, identity.Configs.Broker(image), canChange: definition => definition.IsDynamic)
            : Failed(resource, ErrorCode.InvalidRequest,
                $"Unexpected broker id, expected {identity.Node} or empty string, but received {resource.ResourceName}");
    }

    private static EffectiveConfig? OnlyClusterWide(EffectiveConfig config)
    {
        var set = config.Synonyms.Where(synonym => synonym.Source == ConfigSource.DynamicDefaultBroker).ToList();
        return set.Count == 0 ? null : new EffectiveConfig(config.Definition, set[0].Value, set[0].Source, set);
    }

    private static DescribeConfigsResponse.DescribeConfigsResult Describe(
        DescribeConfigsRequest request,
        DescribeConfigsRequest.DescribeConfigsResource resource,
        IReadOnlyList<EffectiveConfig> configs,
        Func<ConfigDefinition, bool> canChange)
    {
        // As Kafka reads it, an empty list of keys also means all.
        var keys = resource.ConfigurationKeys is { Count: > 0 } wanted ? wanted.ToHashSet(StringComparer.Ordinal) : null;
        return new DescribeConfigsResponse.DescribeConfigsResult
        {
            ResourceType = resource.ResourceType,
            ResourceName = resource.ResourceName,
            Configs = [.. configs
                .Where(config => keys is null || keys.Contains(config.Definition.Name))
                .Select(config => Describe(request, config, canChange))],
        };
    }

    private static DescribeConfigsResponse.DescribeConfigsResourceResult Describe(
        DescribeConfigsRequest request, EffectiveConfig config, Func<ConfigDefinition, bool> canChange) => new()
        {
            Name = config.Definition.Name,
            Value = config.Value,
            ReadOnly = !canChange(config.Definition),
            ConfigSource = (sbyte)config.Source,
            IsSensitive = config.Definition.IsSensitive,
            Synonyms = request.IncludeSynonyms ? [.. config.Synonyms.Where(synonym => synonym.Value is not null).Select(Describe)] : [],
            ConfigType = (sbyte)config.Definition.Type,
            Documentation = request.IncludeDocumentation ? config.Definition.Documentation : null,
        };

    private static DescribeConfigsResponse.DescribeConfigsSynonym Describe(ConfigValue value) =>
        new() { Name = value.Name, Value = value.Value, Source = (sbyte)value.Source };

    private static DescribeConfigsResponse.DescribeConfigsResult Failed(
        DescribeConfigsRequest.DescribeConfigsResource resource, ErrorCode error, string? message) => new()
        {
            ErrorCode = (short)error,
            ErrorMessage = message,
            ResourceType = resource.ResourceType,
            ResourceName = resource.ResourceName,
        };
}
