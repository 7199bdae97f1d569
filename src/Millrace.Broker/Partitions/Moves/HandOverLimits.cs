using Millrace.Broker.Membership;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;

namespace Millrace.Broker.Partitions.Moves;

/// <summary>How much a broker hands over at a time, and how fast, by its configs as they are in an image.</summary>
/// <param name="Partitions">So many stop together.</param>
/// <param name="BytesPerSecond">So much is uploaded of partitions before they stop.</param>
internal readonly record struct HandOverLimits(int Partitions, long BytesPerSecond)
{
    private static readonly ConfigDefinition MostPartitions = BrokerConfigs.Find(BrokerConfigs.HandOverPartitions)!;
    private static readonly ConfigDefinition Rate = BrokerConfigs.Find(BrokerConfigs.LeaderReplicationThrottledRate)!;

    /// <remarks>A broker that is about to stop has no time to lose: what it does not hand over has no leader until it has left.</remarks>
    public static HandOverLimits Of(BrokerIdentity self, MetadataImage image) => new(
        self.Configs.Broker(image, MostPartitions).AsInt(),
        image.Nodes.TryGetValue(self.Node, out var node) && node.IsLeaving ? long.MaxValue : self.Configs.Broker(image, Rate).AsLong());

    /// <summary>How long it takes to upload so much at this rate.</summary>
    public TimeSpan TimeOf(long bytes) => TimeSpan.FromSeconds(Math.Min(bytes / (double)BytesPerSecond, TimeSpan.MaxValue.TotalSeconds / 2));
}
