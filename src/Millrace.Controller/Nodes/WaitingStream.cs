using Millrace.Runtime.Ids;

namespace Millrace.Controller.Nodes;

/// <summary>A stream that nobody may open before a WAL is recovered or given up.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Topic">The topic whose partition it is, or null.</param>
/// <param name="Partition">The partition's number in the topic.</param>
public sealed record WaitingStream(StreamId Stream, string? Topic, int Partition)
{
    public override string ToString() => Topic is null ? $"stream {Stream}" : $"{Topic}-{Partition}";
}
