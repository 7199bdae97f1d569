namespace Millrace.Benchmarks.SideBySide;

/// <summary>Milliseconds from send to acknowledgement.</summary>
internal readonly record struct Latency(double P50, double P95, double P99, double P999);
