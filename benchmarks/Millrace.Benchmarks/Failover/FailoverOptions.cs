namespace Millrace.Benchmarks.Failover;

/// <summary>What a <see cref="FailoverRun"/> does.</summary>
/// <param name="Topics">How many, each with a producer and a group of its own.</param>
/// <param name="Partitions">Of each topic.</param>
/// <param name="Rounds">How often it befalls the cluster.</param>
/// <param name="Pause">Before each round.</param>
/// <param name="StopTime">How long a stopped broker stays so; null until all partitions have acknowledged again.</param>
/// <param name="Writing">How each producer writes.</param>
internal sealed record FailoverOptions(int Topics, int Partitions, int Rounds, TimeSpan Pause, TimeSpan? StopTime, WriterOptions Writing);
