using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>What became of an upload.</summary>
/// <param name="Verdicts">One for each range, in the order given.</param>
/// <param name="Closed">Those of its streams that are closed as it asked. What is not may be closed by itself, or is refused then.</param>
/// <param name="NextId">The id that was asked for.</param>
public sealed record CommittedUpload(IReadOnlyList<RangeVerdict> Verdicts, IReadOnlySet<StreamId> Closed, ObjectId? NextId)
{
    /// <summary>For each range how many its stream has then, in the order given: whoever knows of many more has not heard that they were merged.</summary>
    public IReadOnlyList<int> RangeCounts { get; init; } = [];
}
