using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Drain;

/// <summary>What the broker leads that is drained, and who depends on it.</summary>
/// <param name="Topics">Each with a producer and a group that reads it.</param>
/// <param name="Partitions">Of all topics together.</param>
/// <param name="Shards">Partitions of <c>__consumer_offsets</c>.</param>
/// <param name="Groups">That only have offsets.</param>
/// <param name="Offsets">Of all of those together.</param>
/// <param name="Members">Groups of one member each, which commits all the time.</param>
/// <param name="Limit">For the drain.</param>
/// <param name="Writing">How each producer writes.</param>
internal sealed record DrainOptions(
    int Topics, int Partitions, int Shards, int Groups, int Offsets, int Members, TimeSpan Limit, WriterOptions Writing);
