namespace Millrace.Benchmarks.Failover;

/// <summary>How a <see cref="SteadyWriter"/> writes.</summary>
/// <param name="RecordsPerSecond">To all partitions of its topic together.</param>
/// <param name="RequestTimeout">How long the client waits for an answer; null for its own default, 30 s.</param>
/// <param name="RecordBytes">Of each record; at least 8.</param>
/// <param name="RetryBackoff">How long the client waits before it sends again what was refused; null for its own default, 100 ms.</param>
internal sealed record WriterOptions(double RecordsPerSecond, TimeSpan? RequestTimeout = null, int RecordBytes = 100, TimeSpan? RetryBackoff = null);
