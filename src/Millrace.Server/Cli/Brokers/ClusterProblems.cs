namespace Millrace.Server.Cli.Brokers;

/// <summary>
/// What is amiss in a cluster: partitions that nobody leads, brokers that are gone, WALs that wait, topics whose WAL is missing, or that nobody is the
/// controller.
/// </summary>
internal static class ClusterProblems
{
    /// <param name="cluster">The brokers.</param>
    /// <param name="partitions">How many partitions there are.</param>
    /// <param name="unavailable">How many of them have no leader.</param>
    /// <returns>Each with what a command ends with for it, the worst first.</returns>
    public static IReadOnlyList<(int ExitCode, string Problem)> Of(ClusterView cluster, int partitions, int unavailable)
    {
        List<(int ExitCode, string Problem)> problems = [];
        if (unavailable > 0)
        {
            problems.Add((ExitCode.NoLeader, $"{unavailable} of {partitions} partitions have no leader. `millrace partition list --unavailable` says why."));
        }

        if (cluster.Controller is null)
        {
            problems.Add((ExitCode.Failed, "There is no controller: nothing can be created or changed before there is one again."));
        }

        var fenced = cluster.Brokers.Where(broker => broker.State == BrokerView.Fenced).ToList();
        if (fenced.Count > 0)
        {
            problems.Add((
                ExitCode.Failed,
                $"Gone without having left: {string.Join(", ", fenced.Select(broker => broker.Id))}. Start them again, or have the cluster forget them "
                + "(`millrace broker remove`)."));
        }

        foreach (var wal in cluster.WaitingWals ?? [])
        {
            problems.Add((ExitCode.Failed, $"WAL {wal.Id} ({wal.Location}) of broker {wal.Node} waits for its recovery."));
        }

        foreach (var unmet in cluster.UnmetWals)
        {
            problems.Add((
                ExitCode.Failed,
                $"Topic {unmet.Topic} asks for a WAL of the kind {unmet.Wal} (millrace.wal), which there is not at: {string.Join(", ", unmet.Brokers)}. "
                + "What they lead of it lies in their first. Start them with one more (--wal), or have the topic ask for another."));
        }

        return problems;
    }
}
