namespace Millrace.Benchmarks.Failover;

/// <summary>What a <see cref="FailoverRun"/> does.</summary>
/// <param name="Topics">How many, each with a producer and a group of its own.</param>
/// <param name="Partitions">Of each topic.</param>
/// <param name="Rounds">How often it befalls the cluster.</param>
/// <param name="Pause">Before each round.</param>
/// <param name="Time">For how long rounds begin; null for as many as <paramref name="Rounds"/>.</param>
/// <param name="StopTime">How long a broker stays stopped or cut off; null until all partitions have acknowledged again.</param>
/// <param name="Moves">Whether partitions go round meanwhile.</param>
/// <param name="ChangesWals">Whether topics change their WAL meanwhile, again and again.</param>
/// <param name="Writing">How each producer writes.</param>
internal sealed record FailoverOptions(
    int Topics, int Partitions, int Rounds, TimeSpan? Time, TimeSpan Pause, TimeSpan? StopTime, bool Moves, bool ChangesWals, WriterOptions Writing);
