using Millrace.Coordination.Shards;

namespace Millrace.Tests.Coordination.Shards;

/// <summary>What tests do with encoded records.</summary>
internal static class EncodedRecords
{
    /// <summary>The same in memory of its own. A tombstone stays one.</summary>
    public static EncodedRecord Copy(this EncodedRecord record) => record.Value is { } value
        ? new EncodedRecord(record.Key.ToArray(), value.ToArray())
        : new EncodedRecord(record.Key.ToArray(), Value: null);
}
