using Millrace.Runtime.Ids;

namespace Millrace.Controller.Nodes;

/// <summary>A stream that nobody may open before a WAL is recovered or given up.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Topic">The topic whose partition it is, or null.</param>
/// <param name="Partition">The partition's number in the topic.</param>
public sealed record WaitingStream(StreamId Stream, string? Topic, int Partition)
{
    /// <summary>Who brings what the WAL has of it; null for nobody yet, or for a stream of no topic.</summary>
    public NodeId? PlannedTo { get; init; }

    /// <summary>Records of it are missing: only an operator who accepts the loss ends its wait.</summary>
    public bool IsDamaged { get; init; }

    public override string ToString() => Topic is null ? $"stream {Stream}" : $"{Topic}-{Partition}";
}
