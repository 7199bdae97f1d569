using Millrace.Broker.Errors;
using Millrace.Broker.Metrics;
using Millrace.Streams;

namespace Millrace.Broker.Partitions.Lookup;

/// <summary>What a fetch gets from one partition.</summary>
internal readonly record struct PartitionRead
{
    public PartitionError Error { get; init; }

    /// <summary>Everything below is durable; -1 if unknown.</summary>
    public long HighWatermark { get; init; }

    /// <summary>-1 if unknown.</summary>
    public long LogStartOffset { get; init; }

    /// <summary>Where the client's log and this one part, if they do: then nothing was read.</summary>
    public (int Epoch, long EndOffset)? Diverging { get; init; }

    /// <summary>Whole batches, or null if there are none. Who takes it disposes it.</summary>
    public StreamRead? Records { get; init; }

    /// <summary>There is a batch, but it exceeds what was asked for.</summary>
    public bool Oversized { get; init; }

    /// <summary>There was more to read than was read: another fetch finds it at once.</summary>
    public bool HasMore { get; init; }

    /// <summary>The payload of <see cref="Records"/>.</summary>
    public int Bytes { get; init; }

    /// <summary>Where <see cref="Records"/> come from, of a partition that another broker leads; else null.</summary>
    public FollowedSource? Source { get; init; }

    public static PartitionRead Failed(PartitionError error) => new() { Error = error, HighWatermark = -1, LogStartOffset = -1 };
}
