namespace Millrace.Server.Cli.Brokers;

/// <summary>What a partition without a leader waits for.</summary>
/// <param name="RecoveredBy">The broker that recovers it; null if there is none yet.</param>
/// <param name="IsDamaged">Records of it are missing: only an operator who accepts the loss ends its wait.</param>
internal sealed record WaitingPartitionView(int? RecoveredBy, bool IsDamaged);
