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
            InitialRebalanceDelay = Config("group.initial.rebalance.delay.ms").AsMilliseconds(),
            MinSessionTimeout = Config("group.min.session.timeout.ms").AsMilliseconds(),
            MaxSessionTimeout = Config("group.max.session.timeout.ms").AsMilliseconds(),
            MaxSize = Config("group.max.size").AsInt(),
            MaxOffsetMetadata = Config("offset.metadata.max.bytes").AsInt(),
            OffsetsRetention = TimeSpan.FromMinutes(Config("offsets.retention.minutes").AsLong()),
            RetentionCheckInterval = Config("offsets.retention.check.interval.ms").AsMilliseconds(),
        };

        EffectiveConfig Config(string name) => configs.Broker(MetadataImage.Empty, name);
    }
}
