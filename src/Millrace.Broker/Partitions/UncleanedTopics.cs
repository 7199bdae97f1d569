using Microsoft.Extensions.Logging;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;

namespace Millrace.Broker.Partitions;

/// <summary>
/// Warns of topics with <c>cleanup.policy=compact</c>: there is no log cleaning yet, so that they keep everything, which nobody would notice
/// before the store's bill. Each is named once when its policy becomes that, and all that have it in one line when a node starts.
/// </summary>
/// <remarks>Threading: image changes come one at a time.</remarks>
internal sealed class UncleanedTopics(ILogger logger, IMetadataFeed feed, ConfigResolver configs) : IDisposable
{
    // A line that stays readable; metadata tools list the rest.
    private const int Named = 20;

    private static readonly ConfigDefinition Policy = TopicConfigs.Find(TopicConfigs.CleanupPolicy)!;
    private readonly HashSet<Guid> _known = [];
    private IDisposable? _subscription;

    public void Start() => _subscription = feed.Subscribe(Apply);

    public void Dispose() => _subscription?.Dispose();

    private void Apply(MetadataDelta delta)
    {
        foreach (var topic in delta.DeletedTopics)
        {
            _known.Remove(topic.Id);
        }

        // Topics inherit the policy from the brokers.
        var found = new List<string>();
        foreach (var topic in delta.BrokerConfigsChanged ? delta.After.Topics.Values : delta.ChangedTopics)
        {
            if (!IsToBeCleaned(delta.After, topic))
            {
                _known.Remove(topic.Id);
            }
            else if (_known.Add(topic.Id))
            {
                found.Add(topic.Name);
            }
        }

        if (found.Count > 0)
        {
            var rest = found.Count > Named ? $" and {found.Count - Named} more" : "";
            PartitionMessages.NotCleaned(logger, string.Join(", ", found.Take(Named)) + rest);
        }
    }

    private bool IsToBeCleaned(MetadataImage image, TopicImage topic) =>
        !topic.IsInternal && CleanupPolicy.Names(configs.Topic(image, topic, Policy).AsText(), CleanupPolicy.Compact);
}
