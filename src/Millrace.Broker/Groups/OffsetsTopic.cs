using Millrace.Broker.Membership;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;

namespace Millrace.Broker.Groups;

/// <summary>How the topic of the committed offsets is created, whoever asks for it first.</summary>
internal static class OffsetsTopic
{
    public static CreateTopicsRequest.CreatableTopic Creation(BrokerIdentity identity, MetadataImage image) => new()
    {
        Name = InternalTopics.ConsumerOffsets,
        NumPartitions = Setting(identity, image, BrokerConfigs.OffsetsTopicNumPartitions),
        ReplicationFactor = (short)Setting(identity, image, BrokerConfigs.OffsetsTopicReplicationFactor),
        Configs =
        [
            // Only the newest record of a key counts, however old it is: retention must never delete it.
            new CreateTopicsRequest.CreatableTopicConfig { Name = TopicConfigs.CleanupPolicy, Value = CleanupPolicy.Compact },
            new CreateTopicsRequest.CreatableTopicConfig { Name = TopicConfigs.CompressionType, Value = "producer" },
        ],
    };

    private static int Setting(BrokerIdentity identity, MetadataImage image, string name) => identity.Configs.Broker(image, name).AsInt();
}
