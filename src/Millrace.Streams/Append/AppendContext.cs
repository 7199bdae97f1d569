using Millrace.Runtime;
using Millrace.Streams.Cache;
using Millrace.Streams.Upload;

namespace Millrace.Streams.Append;

/// <summary>What appends to any stream of a store go through.</summary>
/// <param name="Budget">Has admitted them.</param>
/// <param name="SmallRecords">Moves small ones together.</param>
/// <param name="Planner">Hears how much there is to upload.</param>
/// <param name="Metrics">Counts them.</param>
/// <param name="WalWaits">Adds up how long they wait for the WAL.</param>
internal sealed record AppendContext(
    MemoryBudget Budget, SmallRecordArena SmallRecords, UploadPlanner Planner, StreamsMetrics Metrics, WalWaitTally WalWaits)
{
    public IdleTasks<AppendCompletion> Completions { get; } = new(new Lock());
}
