using Millrace.Broker.Membership;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Broker.Partitions;

/// <summary>
/// In which of this broker's WALs a topic's partitions are to lie. One that lies in another changes it with its epoch: it is handed over, to this broker
/// again, and the registry decides by the same rule as it opens the stream.
/// </summary>
internal static class TopicWal
{
    /// <returns>One of its additional WALs, by the kind; null: its default.</returns>
    public static WalKind? Of(MetadataImage image, TopicImage topic, BrokerIdentity self) =>
        (WalKind?)image.ChooseWal(self.Node, self.Epoch, (byte?)WantedBy(topic));

    /// <summary>The kind that a topic asks for and this broker does not have; null if it has it, or none is asked for.</summary>
    public static WalKind? MissingFor(MetadataImage image, TopicImage topic, BrokerIdentity self) =>
        WantedBy(topic) is { } wanted && image.WalsOf(self.Node, self.Epoch).All(wal => wal.Kind != (byte)wanted) ? wanted : null;

    private static WalKind? WantedBy(TopicImage topic) => WalKindName.Find(topic.Configs.GetValueOrDefault(TopicConfigs.Wal));
}
