using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Simulation.Scenarios.ObjectLogs;

/// <summary>A member's state at a place: the first entries of the history, by number.</summary>
internal sealed record ChainSnapshot(LogStart Start, int Count);
