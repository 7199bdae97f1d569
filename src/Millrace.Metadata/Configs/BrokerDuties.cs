using System.Collections.Immutable;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Metadata.Configs;

/// <summary>What brokers are there for: everything, or less by configs of their own.</summary>
public static class BrokerDuties
{
    /// <summary>Those configs, each of one broker: nobody has them from a file, or from the default of all.</summary>
    public static IReadOnlySet<string> ConfigNames { get; } =
        ImmutableHashSet.Create(StringComparer.Ordinal, BrokerConfigs.CordonedLogDirs, BrokerConfigs.Drained);

    /// <remarks>One that is about to stop is as good as drained, whatever its configs say.</remarks>
    public static BrokerDuty Of(MetadataImage image, NodeId node) =>
        image.Nodes.TryGetValue(node, out var known) && known is { IsLive: true, IsLeaving: true } ? BrokerDuty.Drained : ConfiguredOf(image, node);

    /// <summary>As its configs have it, whether or not it is about to stop: what it will be there for when it comes again.</summary>
    public static BrokerDuty ConfiguredOf(MetadataImage image, NodeId node)
    {
        if (!image.BrokerConfigs.TryGetValue(node, out var configs))
        {
            return BrokerDuty.All;
        }

        return bool.TryParse(configs.GetValueOrDefault(BrokerConfigs.Drained), out var drained) && drained ? BrokerDuty.Drained
            : string.IsNullOrWhiteSpace(configs.GetValueOrDefault(BrokerConfigs.CordonedLogDirs)) ? BrokerDuty.All
            : BrokerDuty.Cordoned;
    }

    /// <summary>It leads nothing, as long as anybody else can.</summary>
    public static bool IsDrained(MetadataImage image, NodeId node) => Of(image, node) == BrokerDuty.Drained;

    /// <summary>It is cordoned, or drained.</summary>
    public static bool GetsNothingNew(MetadataImage image, NodeId node) => Of(image, node) != BrokerDuty.All;

    /// <summary>Who is to lead a partition: the first of its replicas that lives and is not drained; null where there is none.</summary>
    public static NodeId? PreferredLeader(MetadataImage image, IEnumerable<NodeId> replicas)
    {
        foreach (var replica in replicas)
        {
            if (image.IsLive(replica) && !IsDrained(image, replica))
            {
                return replica;
            }
        }

        return null;
    }
}
