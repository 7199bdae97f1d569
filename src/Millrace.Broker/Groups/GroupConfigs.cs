using System.Globalization;
using Millrace.Coordination.Groups;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;

namespace Millrace.Broker.Groups;

/// <summary>The groups' settings under Kafka's names. None of them changes while a broker runs.</summary>
internal static class GroupConfigs
{
    public static GroupOptions Read(ConfigResolver configs) => new()
    {
        InitialRebalanceDelay = Milliseconds(configs, "group.initial.rebalance.delay.ms"),
        MinSessionTimeout = Milliseconds(configs, "group.min.session.timeout.ms"),
        MaxSessionTimeout = Milliseconds(configs, "group.max.session.timeout.ms"),
        MaxSize = (int)Number(configs, "group.max.size"),
        MaxOffsetMetadata = (int)Number(configs, "offset.metadata.max.bytes"),
        OffsetsRetention = TimeSpan.FromMinutes(Number(configs, "offsets.retention.minutes")),
        RetentionCheckInterval = Milliseconds(configs, "offsets.retention.check.interval.ms"),
    };

    private static TimeSpan Milliseconds(ConfigResolver configs, string name) => TimeSpan.FromMilliseconds(Number(configs, name));

    private static long Number(ConfigResolver configs, string name) =>
        long.Parse(configs.Broker(MetadataImage.Empty, BrokerConfigs.Find(name)!).Value!, CultureInfo.InvariantCulture);
}
