namespace Millrace.Coordination.Groups;

/// <summary>What operators tune of the groups. Kafka's setting in brackets.</summary>
public sealed record GroupOptions
{
    /// <summary>How long the first rebalance of an empty group waits for more members [group.initial.rebalance.delay.ms].</summary>
    public TimeSpan InitialRebalanceDelay { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>[group.min.session.timeout.ms]</summary>
    public TimeSpan MinSessionTimeout { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>[group.max.session.timeout.ms]</summary>
    public TimeSpan MaxSessionTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Members a group may have [group.max.size].</summary>
    public int MaxSize { get; init; } = int.MaxValue;

    /// <summary>Characters of metadata with a committed offset [offset.metadata.max.bytes].</summary>
    public int MaxOffsetMetadata { get; init; } = 4096;

    /// <summary>How long offsets outlive their group's last member, or without a group their commit [offsets.retention.minutes].</summary>
    public TimeSpan OffsetsRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>[offsets.retention.check.interval.ms]</summary>
    public TimeSpan RetentionCheckInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How many records a partition of the groups' topic may hold beside those that still count before these are written once more and all before them is
    /// deleted; or half as many as those that count, if that is more [millrace.offsets.spare.records].
    /// </summary>
    public int SpareRecords { get; init; } = 10_000;
}
