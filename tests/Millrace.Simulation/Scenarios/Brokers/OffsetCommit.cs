namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>A commit of one offset, as its sender knows it.</summary>
internal readonly record struct OffsetCommit(long Offset, TimeSpan SentAt);
