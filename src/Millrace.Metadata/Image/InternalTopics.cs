namespace Millrace.Metadata;

/// <summary>Topics that belong to the brokers themselves: clients may read but not write, create or delete them.</summary>
public static class InternalTopics
{
    public const string ConsumerOffsets = "__consumer_offsets";

    public const string TransactionState = "__transaction_state";

    public const string ShareGroupState = "__share_group_state";

    public static bool Contains(string topic) => topic is ConsumerOffsets or TransactionState or ShareGroupState;
}
