using Millrace.Coordination.Groups;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;

namespace Millrace.Broker.Groups;

/// <summary>The groups' settings under Kafka's names. None of them changes while a broker runs.</summary>
internal static class GroupConfigs
{
    public static GroupOptions Read(ConfigResolver configs)
    {
        return new()
        {
            InitialRebalanceDelay = Config(BrokerConfigs.GroupInitialRebalanceDelayMs).AsMilliseconds(),
            MinSessionTimeout = Config(BrokerConfigs.GroupMinSessionTimeoutMs).AsMilliseconds(),
            MaxSessionTimeout = Config(BrokerConfigs.GroupMaxSessionTimeoutMs).AsMilliseconds(),
            MaxSize = Config(BrokerConfigs.GroupMaxSize).AsInt(),
            MaxOffsetMetadata = Config(BrokerConfigs.OffsetMetadataMaxBytes).AsInt(),
            OffsetsRetention = TimeSpan.FromMinutes(Config(BrokerConfigs.OffsetsRetentionMinutes).AsLong()),
            RetentionCheckInterval = Config(BrokerConfigs.OffsetsRetentionCheckIntervalMs).AsMilliseconds(),
            SpareRecords = Config(BrokerConfigs.OffsetsSpareRecords).AsInt(),
        };

        EffectiveConfig Config(string name) => configs.Broker(MetadataImage.Empty, name);
    }
}
