using System.Collections.Immutable;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Metadata.Configs;

public sealed class ConfigTests
{
    private static readonly TopicImage Topic = new(
        new Guid(1, 0, 0, new byte[8]), "t", 1, [], ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal));

    [Fact]
    public void Every_default_is_valid()
    {
        foreach (var definition in TopicConfigs.All.Concat(BrokerConfigs.All).Where(definition => definition.Default is not null))
        {
            Assert.Null(definition.Check(definition.Default!));
        }
    }

    [Theory]
    [InlineData("retention.ms", "-2", false)]
    [InlineData("retention.ms", "-1", true)]
    [InlineData("retention.ms", " 5 ", true)]
    [InlineData("retention.ms", "soon", false)]
    [InlineData("retention.ms", "9223372036854775808", false)]
    [InlineData("cleanup.policy", "compact,delete", true)]
    [InlineData("cleanup.policy", "", true)]
    [InlineData("cleanup.policy", "shred", false)]
    [InlineData("cleanup.policy", "compact,", false)]
    [InlineData("compression.gzip.level", "-1", true)]
    [InlineData("compression.gzip.level", "0", false)]
    [InlineData("compression.gzip.level", "9", true)]
    [InlineData("remote.storage.enable", "true", false)]
    [InlineData("remote.storage.enable", "false", true)]
    [InlineData("leader.replication.throttled.replicas", "none", false)]
    [InlineData("retention.bytes", "-3", true)]
    [InlineData("compression.type", "lz4", true)]
    [InlineData("compression.type", "brotli", false)]
    [InlineData("min.cleanable.dirty.ratio", "1.5", false)]
    [InlineData("preallocate", "TRUE", true)]
    [InlineData("preallocate", "yes", false)]
    [InlineData("segment.bytes", "1048575", false)]
    [InlineData("no.such.config", "1", false)]
    public void A_topic_config_is_checked_as_Kafka_does(string name, string value, bool valid) =>
        Assert.Equal(valid, TopicConfigs.Check(name, value) is null);

    [Fact]
    public void A_value_comes_from_topic_then_node_then_cluster_then_file_then_default()
    {
        var definition = TopicConfigs.Find("retention.ms")!;
        var resolver = new ConfigResolver(new NodeId(1), new Dictionary<string, string> { ["log.retention.hours"] = "2" });
        var configs = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        var image = MetadataImage.Empty;
        var topic = Topic;

        var fromFile = resolver.Topic(image, topic, definition);
        image = image with { BrokerConfigs = image.BrokerConfigs.Add(MetadataImage.AllBrokers, configs.Add("log.retention.ms", "30")) };
        var fromCluster = resolver.Topic(image, topic, definition);
        image = image with { BrokerConfigs = image.BrokerConfigs.Add(new NodeId(1), configs.Add("log.retention.ms", "20")) };
        var fromNode = resolver.Topic(image, topic, definition);
        topic = topic with { Configs = configs.Add("retention.ms", "10") };
        var own = resolver.Topic(image, topic, definition);

        Assert.Equal(("7200000", ConfigSource.StaticBroker), (fromFile.Value, fromFile.Source));
        Assert.Equal(("30", ConfigSource.DynamicDefaultBroker), (fromCluster.Value, fromCluster.Source));
        Assert.Equal(("20", ConfigSource.DynamicBroker), (fromNode.Value, fromNode.Source));
        Assert.Equal(("10", ConfigSource.Topic), (own.Value, own.Source));
        Assert.Equal(
            [
                new ConfigValue("retention.ms", "10", ConfigSource.Topic),
                new ConfigValue("log.retention.ms", "20", ConfigSource.DynamicBroker),
                new ConfigValue("log.retention.ms", "30", ConfigSource.DynamicDefaultBroker),
                new ConfigValue("log.retention.hours", "7200000", ConfigSource.StaticBroker),
                new ConfigValue("retention.ms", "604800000", ConfigSource.Default),
            ],
            own.Synonyms);
    }

    [Fact]
    public void Topic_settings_are_those_in_effect()
    {
        var resolver = new ConfigResolver(new NodeId(1), new Dictionary<string, string> { ["log.cleanup.policy"] = "compact" });
        var topic = Topic with { Configs = Topic.Configs.Add("max.message.bytes", "1000").Add("message.timestamp.type", "LogAppendTime") };

        var settings = TopicSettings.Of(resolver, MetadataImage.Empty, topic);

        Assert.True(settings.IsCompacted);
        Assert.False(settings.DeletesOldRecords);
        Assert.Equal(1000, settings.MaxMessageBytes);
        Assert.True(settings.StampsAppendTime);
        Assert.Equal(604_800_000, settings.RetentionMs);
    }
}
