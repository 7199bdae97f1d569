using System.Globalization;
using Millrace.Metadata.Image;

namespace Millrace.Metadata.Configs;

/// <summary>The topic configs that decide something on the data path, as they are in effect, parsed once per change.</summary>
public sealed record TopicSettings
{
    public required bool DeletesOldRecords { get; init; }

    public required bool IsCompacted { get; init; }

    /// <summary>Kafka's name of the codec that batches are stored in, or "producer".</summary>
    public required string CompressionType { get; init; }

    public required int CompressionGzipLevel { get; init; }

    public required int CompressionLz4Level { get; init; }

    public required int CompressionZstdLevel { get; init; }

    /// <summary>The largest batch, in bytes, its header included.</summary>
    public required int MaxMessageBytes { get; init; }

    /// <summary>The largest list of batches that one append may carry, in bytes.</summary>
    public required int SegmentBytes { get; init; }

    public required bool StampsAppendTime { get; init; }

    public required long TimestampBeforeMaxMs { get; init; }

    public required long TimestampAfterMaxMs { get; init; }

    public required int MinInsyncReplicas { get; init; }

    /// <summary>-1 for no limit.</summary>
    public required long RetentionBytes { get; init; }

    /// <summary>-1 for ever.</summary>
    public required long RetentionMs { get; init; }

    public static TopicSettings Of(ConfigResolver resolver, MetadataImage image, TopicImage topic)
    {
        var policy = Text(TopicConfigs.CleanupPolicy);
        return new TopicSettings
        {
            // Whatever was once set: the state of the brokers is the newest record of each key, however old.
            DeletesOldRecords = !topic.IsInternal && ConfigDefinition.ListItems(policy).Contains("delete"),
            IsCompacted = ConfigDefinition.ListItems(policy).Contains("compact"),
            CompressionType = Text(TopicConfigs.CompressionType),
            CompressionGzipLevel = (int)Number(TopicConfigs.CompressionGzipLevel),
            CompressionLz4Level = (int)Number(TopicConfigs.CompressionLz4Level),
            CompressionZstdLevel = (int)Number(TopicConfigs.CompressionZstdLevel),
            MaxMessageBytes = (int)Number(TopicConfigs.MaxMessageBytes),
            SegmentBytes = (int)Number(TopicConfigs.SegmentBytes),
            StampsAppendTime = Text(TopicConfigs.MessageTimestampType) == "LogAppendTime",
            TimestampBeforeMaxMs = Number(TopicConfigs.MessageTimestampBeforeMaxMs),
            TimestampAfterMaxMs = Number(TopicConfigs.MessageTimestampAfterMaxMs),
            MinInsyncReplicas = (int)Number(TopicConfigs.MinInsyncReplicas),
            RetentionBytes = Number(TopicConfigs.RetentionBytes),
            RetentionMs = Number(TopicConfigs.RetentionMs),
        };

        string Text(string name) => resolver.Topic(image, topic, TopicConfigs.Find(name)!).Value!.Trim();

        long Number(string name) => long.Parse(Text(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
    }
}
