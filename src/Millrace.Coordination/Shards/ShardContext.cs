using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.Coordination.Shards;

/// <summary>What a shard takes from its surroundings.</summary>
/// <param name="Time">The clock for timestamps in records.</param>
/// <param name="Random">For member ids.</param>
/// <param name="Timers">The shard's timers.</param>
/// <param name="Logger">For what happens to groups.</param>
/// <param name="MaxBatchBytes">What the records of one operation may take in the log.</param>
internal sealed record ShardContext<TRecord>(TimeProvider Time, NodeRandom Random, TimerQueue<TRecord> Timers, ILogger Logger, int MaxBatchBytes)
{
    /// <summary>Milliseconds since the Unix epoch.</summary>
    public long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();
}
