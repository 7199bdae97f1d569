namespace Millrace.Server.Cli.Brokers;

/// <summary>A WAL of a broker that is away, which holds, or may hold, what nothing else does.</summary>
/// <param name="Id">For <c>--accept-loss</c>.</param>
/// <param name="Location">Where it lies.</param>
/// <param name="Node">Whose it is.</param>
/// <param name="Partitions">What has no leader until it is recovered, and by whom.</param>
internal sealed record WaitingWalView(
    Guid Id, string Location, int Node, IReadOnlyDictionary<(string Topic, int Partition), WaitingPartitionView> Partitions);
