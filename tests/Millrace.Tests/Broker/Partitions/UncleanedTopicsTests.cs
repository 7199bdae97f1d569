using System.Collections.Immutable;
using Millrace.Broker.Partitions;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Broker.Partitions;

public sealed class UncleanedTopicsTests : IDisposable
{
    private readonly RecordedLog _log = new();
    private readonly MetadataFeed _feed = new();
    private MetadataImage _image = MetadataImage.Empty;

    public void Dispose() => _log.Dispose();

    [Fact]
    public void Those_that_there_are_at_a_start_are_named_in_one_line()
    {
        Set("a", "compact");
        Set("b", "delete");
        Set("c", "compact,delete");
        Set("__consumer_offsets", "compact");

        Follow();

        Assert.StartsWith(
            "Topics with cleanup.policy=compact keep every record, since there is no log cleaning yet: a, c.", Assert.Single(Said), StringComparison.Ordinal);
    }

    [Fact]
    public void A_topic_is_named_once_when_it_is_created_and_again_only_when_it_becomes_compacted_anew()
    {
        Follow();

        Set("a", "compact");
        Set("a", "compact", ("retention.ms", "1"));
        Assert.Single(Said);
        Set("a", "delete");
        Assert.Single(Said);
        Set("a", "compact,delete");
        Assert.Equal(2, Said.Count);
    }

    [Fact]
    public void Topics_that_inherit_the_policy_from_the_brokers_are_named_when_these_are_altered()
    {
        Set("a", null);
        Set("b", "delete");
        Follow();

        Publish(_image with
        {
            BrokerConfigs = _image.BrokerConfigs.SetItem(
                MetadataImage.AllBrokers, ImmutableSortedDictionary<string, string>.Empty.Add("log.cleanup.policy", "compact")),
        });

        Assert.Contains(": a.", Assert.Single(Said), StringComparison.Ordinal);
    }

    [Fact]
    public void Many_are_counted_beyond_the_first()
    {
        for (var i = 0; i < 30; i++)
        {
            Set($"t{i:00}", "compact");
        }

        Follow();

        Assert.Contains("t19 and 10 more.", Assert.Single(Said), StringComparison.Ordinal);
    }

    private IReadOnlyList<string> Said => _log.Saying("cleanup.policy");

    private void Follow() => new UncleanedTopics(_log, _feed, new ConfigResolver(new NodeId(1), new Dictionary<string, string>())).Start();

    private void Set(string name, string? policy, params (string Key, string Value)[] configs)
    {
        var set = configs.ToImmutableSortedDictionary(config => config.Key, config => config.Value);
        var known = _image.Topics.GetValueOrDefault(name)?.Id ?? new Guid(_image.Topics.Count + 1, 0, 0, new byte[8]);
        Publish(PartitionsUnderTest.With(_image, new TopicImage(known, name, 1, [], policy is null ? set : set.Add(TopicConfigs.CleanupPolicy, policy))));
    }

    private void Publish(MetadataImage image)
    {
        _image = image with { Version = _image.Version with { Index = _image.Version.Index + 1 } };
        _feed.Publish(_image);
    }
}
