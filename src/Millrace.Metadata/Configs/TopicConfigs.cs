using System.Collections.Frozen;

namespace Millrace.Metadata.Configs;

/// <summary>The topic configs: Kafka's names, types and defaults. All are accepted, also those that change nothing here.</summary>
public static class TopicConfigs
{
    public const string CleanupPolicy = "cleanup.policy";
    public const string CompressionType = "compression.type";
    public const string CompressionGzipLevel = "compression.gzip.level";
    public const string CompressionLz4Level = "compression.lz4.level";
    public const string CompressionZstdLevel = "compression.zstd.level";
    public const string MaxMessageBytes = "max.message.bytes";
    public const string MessageTimestampType = "message.timestamp.type";
    public const string MessageTimestampBeforeMaxMs = "message.timestamp.before.max.ms";
    public const string MessageTimestampAfterMaxMs = "message.timestamp.after.max.ms";
    public const string MinInsyncReplicas = "min.insync.replicas";
    public const string RetentionBytes = "retention.bytes";
    public const string RetentionMs = "retention.ms";
    public const string SegmentBytes = "segment.bytes";
    public const string Wal = "millrace.wal";

    /// <summary>The value of <see cref="Wal"/> that leaves it to each broker.</summary>
    public const string DefaultWal = "default";

    private const long Second = 1_000;
    private const long Minute = 60 * Second;
    private const long Hour = 60 * Minute;
    private const long Day = 24 * Hour;

    /// <summary>By name, in ordinal order.</summary>
    public static IReadOnlyList<ConfigDefinition> All { get; } = [.. Define().OrderBy(config => config.Name, StringComparer.Ordinal)];

    private static readonly FrozenDictionary<string, ConfigDefinition> ByName = All.ToFrozenDictionary(config => config.Name, StringComparer.Ordinal);

    public static ConfigDefinition? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>What is wrong with a setting (an unknown name, a bad value), or null.</summary>
    public static string? Check(string name, string value) =>
        Find(name) is { } definition ? definition.Check(value) : $"Unknown topic config name: {name}";

    private static IEnumerable<ConfigDefinition> Define() =>
    [
        ConfigDefinition.List(
                CleanupPolicy,
                Configs.CleanupPolicy.Delete,
                Configs.CleanupPolicy.Check,
                "What becomes of old records: delete, compact (which keeps everything yet, since there is no log cleaning), both, or nothing (empty).")
            .InheritsFrom(new ConfigSynonym("log.cleanup.policy")),
        ConfigDefinition.OneOf(CompressionType, "producer", ["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"],
            "The codec batches are stored in; producer keeps what the producer chose.").InheritsFrom(new ConfigSynonym("compression.type")),
        Level(CompressionGzipLevel, -1, -1, 9).AndAlso(text => text is "0" or "-0" or "+0" ? "Value must be between 1 and 9 or equal to -1" : null),
        Level(CompressionLz4Level, 9, 1, 17),
        Level(CompressionZstdLevel, 3, -131_072, 22),
        ConfigDefinition.Long("delete.retention.ms", Day, 0, "How long a compacted topic keeps tombstones.")
            .InheritsFrom(new ConfigSynonym("log.cleaner.delete.retention.ms")),
        ConfigDefinition.Long("file.delete.delay.ms", Minute, 0, "Has no effect: data lies in objects.")
            .InheritsFrom(new ConfigSynonym("log.segment.delete.delay.ms")),
        ConfigDefinition.Long("flush.messages", long.MaxValue, 1, "Has no effect: every acknowledged record is durable.")
            .InheritsFrom(new ConfigSynonym("log.flush.interval.messages")),
        ConfigDefinition.Long("flush.ms", long.MaxValue, 0, "Has no effect: every acknowledged record is durable.")
            .InheritsFrom(new ConfigSynonym("log.flush.interval.ms")),
        ConfigDefinition.List("follower.replication.throttled.replicas", "", CheckThrottledReplica, "Has no effect: brokers do not replicate."),
        ConfigDefinition.Int("index.interval.bytes", 4096, 0, "Has no effect: objects have an index of their own.")
            .InheritsFrom(new ConfigSynonym("log.index.interval.bytes")),
        ConfigDefinition.List("leader.replication.throttled.replicas", "", CheckThrottledReplica, "Has no effect: brokers do not replicate."),
        ConfigDefinition.Long("local.retention.bytes", -2, -2, "Has no effect: there is one storage tier."),
        ConfigDefinition.Long("local.retention.ms", -2, -2, "Has no effect: there is one storage tier."),
        ConfigDefinition.Long("max.compaction.lag.ms", long.MaxValue, 1, "The longest a record stays out of reach of log cleaning.")
            .InheritsFrom(new ConfigSynonym("log.cleaner.max.compaction.lag.ms")),
        ConfigDefinition.Int(MaxMessageBytes, 1_048_588, 0, "The largest record batch that is accepted, in bytes.")
            .InheritsFrom(new ConfigSynonym("message.max.bytes")),
        ConfigDefinition.Long(MessageTimestampAfterMaxMs, Hour, 0, "How far a record's timestamp may lie in the future.")
            .InheritsFrom(new ConfigSynonym("log.message.timestamp.after.max.ms")),
        ConfigDefinition.Long(MessageTimestampBeforeMaxMs, long.MaxValue, 0, "How far a record's timestamp may lie in the past.")
            .InheritsFrom(new ConfigSynonym("log.message.timestamp.before.max.ms")),
        ConfigDefinition.OneOf(MessageTimestampType, "CreateTime", ["CreateTime", "LogAppendTime"], "Whose clock stamps records.")
            .InheritsFrom(new ConfigSynonym("log.message.timestamp.type")),
        ConfigDefinition.Ratio("min.cleanable.dirty.ratio", 0.5, "How much of a log must be uncleaned before it is cleaned.")
            .InheritsFrom(new ConfigSynonym("log.cleaner.min.cleanable.ratio")),
        ConfigDefinition.Long("min.compaction.lag.ms", 0, 0, "How long a record stays out of reach of log cleaning.")
            .InheritsFrom(new ConfigSynonym("log.cleaner.min.compaction.lag.ms")),
        ConfigDefinition.Int(MinInsyncReplicas, 1, 1, "Stored and reported; shared storage acknowledges only what is durable.")
            .InheritsFrom(new ConfigSynonym("min.insync.replicas")),
        ConfigDefinition.OneOf(
            Wal, DefaultWal, [DefaultWal, "block", "file", "object"],
            "Which of its leader's WALs takes the records until they are uploaded, where brokers have several: by its kind, or the first of each broker. "
            + "Changed at any time, in both directions; partitions change it within seconds, one short stop each."),
        ConfigDefinition.Boolean("preallocate", false, "Has no effect: data lies in objects.").InheritsFrom(new ConfigSynonym("log.preallocate")),
        ConfigDefinition.Boolean("remote.log.copy.disable", false, "Has no effect: there is one storage tier."),
        ConfigDefinition.Boolean("remote.log.delete.on.disable", false, "Has no effect: there is one storage tier."),
        ConfigDefinition.Boolean("remote.storage.enable", false, "Stays false: there is one storage tier.")
            .AndAlso(text => bool.Parse(text) ? "Tiered storage does not exist here: data lies in the object store in any case" : null),
        ConfigDefinition.Long(RetentionBytes, -1, long.MinValue, "The bytes a partition keeps; below 0 for no limit.")
            .InheritsFrom(new ConfigSynonym("log.retention.bytes")),
        ConfigDefinition.Long(RetentionMs, 7 * Day, -1, "How long records are kept; -1 for ever.")
            .InheritsFrom(
                new ConfigSynonym("log.retention.ms"),
                new ConfigSynonym("log.retention.minutes", Minute),
                new ConfigSynonym("log.retention.hours", Hour)),
        ConfigDefinition.Int(SegmentBytes, 1 << 30, 1 << 20, "The largest batch list that one append may carry; retention works in finer steps.")
            .InheritsFrom(new ConfigSynonym("log.segment.bytes")),
        ConfigDefinition.Int("segment.index.bytes", 10 << 20, 4, "Has no effect: objects have an index of their own.")
            .InheritsFrom(new ConfigSynonym("log.index.size.max.bytes")),
        ConfigDefinition.Long("segment.jitter.ms", 0, 0, "Has no effect: data lies in objects.")
            .InheritsFrom(new ConfigSynonym("log.roll.jitter.ms"), new ConfigSynonym("log.roll.jitter.hours", Hour)),
        ConfigDefinition.Long("segment.ms", 7 * Day, 1, "Has no effect: data lies in objects.")
            .InheritsFrom(new ConfigSynonym("log.roll.ms"), new ConfigSynonym("log.roll.hours", Hour)),
        ConfigDefinition.Boolean("unclean.leader.election.enable", false, "Has no effect: no election loses records.")
            .InheritsFrom(new ConfigSynonym("unclean.leader.election.enable")),
    ];

    private static ConfigDefinition Level(string name, int defaultValue, int min, int max) =>
        ConfigDefinition.Integer(name, ConfigType.Int, defaultValue, min, max, "The level used when batches are compressed again.")
            .InheritsFrom(new ConfigSynonym(name));

    private static string? CheckThrottledReplica(string replica)
    {
        if (replica is "*")
        {
            return null;
        }

        var parts = replica.Split(':');
        return parts.Length == 2 && int.TryParse(parts[0], out _) && int.TryParse(parts[1], out _)
            ? null
            : "must be the literal '*' or a list of replicas in the form [partitionId]:[brokerId]";
    }
}
