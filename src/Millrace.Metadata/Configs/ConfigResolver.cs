using System.Globalization;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Metadata.Configs;

/// <summary>Works out which value of a config is in effect on a node.</summary>
/// <param name="node">The node that asks.</param>
/// <param name="settings">What the node's operator set in its file or on its command line, by Kafka's names.</param>
public sealed class ConfigResolver(NodeId node, IReadOnlyDictionary<string, string> settings)
{
    /// <summary>A topic's config: its own value, else the brokers' (node, cluster, file), else the default.</summary>
    public EffectiveConfig Topic(MetadataImage image, TopicImage topic, ConfigDefinition definition)
    {
        var values = new List<ConfigValue>();
        if (topic.Configs.TryGetValue(definition.Name, out var own))
        {
            values.Add(new ConfigValue(definition.Name, own, ConfigSource.Topic));
        }

        AddInherited(values, image, definition.Synonyms);
        return EffectiveConfig.Of(definition, values);
    }

    /// <summary>All of a topic's configs, by name.</summary>
    public IReadOnlyList<EffectiveConfig> Topic(MetadataImage image, TopicImage topic) =>
        [.. TopicConfigs.All.Select(definition => Topic(image, topic, definition))];

    /// <summary>A broker's config: set at run time for the node, for all, in its file, else the default.</summary>
    public EffectiveConfig Broker(MetadataImage image, ConfigDefinition definition)
    {
        var values = new List<ConfigValue>();
        AddInherited(values, image, [new ConfigSynonym(definition.Name)]);
        return EffectiveConfig.Of(definition, values);
    }

    /// <summary>A broker's config by its name, which is one of <see cref="BrokerConfigs.All"/>.</summary>
    public EffectiveConfig Broker(MetadataImage image, string name) =>
        Broker(image, BrokerConfigs.Find(name) ?? throw new ArgumentException($"There is no broker config {name}", nameof(name)));

    /// <summary>All of this broker's configs, by name.</summary>
    public IReadOnlyList<EffectiveConfig> Broker(MetadataImage image) =>
        [.. BrokerConfigs.All.Select(definition => Broker(image, definition))];

    private void AddInherited(List<ConfigValue> values, MetadataImage image, IReadOnlyList<ConfigSynonym> synonyms)
    {
        AddDynamic(values, image, node, ConfigSource.DynamicBroker, synonyms);
        AddDynamic(values, image, MetadataImage.AllBrokers, ConfigSource.DynamicDefaultBroker, synonyms);
        foreach (var synonym in synonyms)
        {
            if (settings.TryGetValue(synonym.Name, out var value))
            {
                values.Add(new ConfigValue(synonym.Name, Convert(value, synonym), ConfigSource.StaticBroker));
            }
        }
    }

    private static void AddDynamic(
        List<ConfigValue> values, MetadataImage image, NodeId owner, ConfigSource source, IReadOnlyList<ConfigSynonym> synonyms)
    {
        if (!image.BrokerConfigs.TryGetValue(owner, out var configs))
        {
            return;
        }

        foreach (var synonym in synonyms)
        {
            if (configs.TryGetValue(synonym.Name, out var value))
            {
                values.Add(new ConfigValue(synonym.Name, Convert(value, synonym), source));
            }
        }
    }

    /// <summary>A negative number means "no limit" in every unit.</summary>
    private static string Convert(string value, ConfigSynonym synonym) =>
        synonym.Factor != 1 && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number > 0
            ? checked(number * synonym.Factor).ToString(CultureInfo.InvariantCulture)
            : value;
}
