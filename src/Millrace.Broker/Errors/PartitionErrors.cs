using Millrace.Streams;

namespace Millrace.Broker.Errors;

/// <summary>What a failure of the stream means for a request to the partition.</summary>
internal static class PartitionErrors
{
    /// <summary>Whether a partition ends like that in its usual course: it is another's, closed, or its topic was deleted.</summary>
    public static bool IsExpectedEnd(StreamError error) =>
        error is StreamError.Fenced or StreamError.Closed or StreamError.Unknown or StreamError.Incomplete;

    public static PartitionError Of(StreamError error) => error switch
    {
        // The client asks anew who leads, and finds the one who took the stream.
        StreamError.Fenced or StreamError.Closed or StreamError.Incomplete => PartitionError.NotLeader,
        StreamError.Unknown => PartitionError.UnknownPartition,
        StreamError.OffsetOutOfRange => PartitionError.OffsetOutOfRange,
        StreamError.WalFailed or StreamError.StorageUnavailable or StreamError.ControllerLost or StreamError.PrepareExpired or StreamError.Corrupt =>
            PartitionError.StorageFailed,
    };
}
