namespace Millrace.Benchmarks.Wal;

/// <summary>What was done in some seconds.</summary>
/// <param name="PerSecond">Appends or writes.</param>
/// <param name="Micros">How long each took.</param>
internal sealed record Run(double PerSecond, Sample Micros);
