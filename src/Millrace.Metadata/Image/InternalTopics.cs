using Millrace.Metadata.Configs;

namespace Millrace.Metadata.Image;

/// <summary>Topics that belong to the brokers themselves: clients may read but not write, trim, grow or delete them.</summary>
public static class InternalTopics
{
    public const string ConsumerOffsets = "__consumer_offsets";

    public const string TransactionState = "__transaction_state";

    public const string ShareGroupState = "__share_group_state";

    public static bool Contains(string topic) => topic is ConsumerOffsets or TransactionState or ShareGroupState;

    /// <summary>What is wrong with a valid config of an internal topic, or null: their state is the newest record of each key, however old.</summary>
    /// <param name="topic">Any topic.</param>
    /// <param name="config">The config's name.</param>
    /// <param name="value">The value it is to have; null for none of its own.</param>
    public static string? CheckConfig(string topic, string config, string? value) =>
        Contains(topic) && config == TopicConfigs.CleanupPolicy && value?.Trim() != "compact"
            ? $"The internal topic {topic} keeps cleanup.policy=compact: retention would delete what groups have committed."
            : null;
}
