using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>What is known of the offset that one group has committed for one partition; its committers only ever go forward.</summary>
/// <param name="kernel">Its world.</param>
/// <param name="group">Its name.</param>
/// <param name="partition">Its number.</param>
internal sealed class OffsetOracle(SimulationKernel kernel, string group, int partition)
{
    /// <summary>A request that its client has given up may be under way for as long: through a sleep of the broker, and a wait for room.</summary>
    private static readonly TimeSpan LongestWay = TimeSpan.FromSeconds(100);

    // Sent, and neither acknowledged nor refused. One may overtake a commit that was sent after it over another connection.
    private readonly List<OffsetCommit> _open = [];

    public string Group => group;

    public int Partition => partition;

    /// <summary>The newest that was acknowledged.</summary>
    public long Committed { get; private set; }

    /// <summary>The newest that was sent, which may have arrived.</summary>
    public long Sent { get; private set; }

    /// <summary>Call before the request is sent, and one of the next two with what it returns if an answer came.</summary>
    public OffsetCommit Sending(long offset)
    {
        Sent = Math.Max(Sent, offset);
        var commit = new OffsetCommit(offset, kernel.Now);
        _open.Add(commit);
        return commit;
    }

    public void Acknowledged(OffsetCommit commit)
    {
        kernel.Coverage.Count(CoverageNames.Acknowledged);
        Committed = Math.Max(Committed, commit.Offset);
        _open.RemoveAll(open => open == commit || open.SentAt + LongestWay < commit.SentAt);
    }

    public void Refused(OffsetCommit commit) => _open.Remove(commit);

    /// <param name="offset">What the group was told; -1 if it has committed nothing.</param>
    /// <param name="committedBefore">The newest that was acknowledged when it asked.</param>
    public void Fetched(long offset, long committedBefore)
    {
        var fell = Math.Max(0, offset) < committedBefore;
        if (offset > Sent || fell && !_open.Exists(open => open.Offset == offset))
        {
            throw new ViolationException($"Group {group} is at {offset} in partition {partition}; {committedBefore} was acknowledged, and {Sent} sent");
        }

        if (fell)
        {
            kernel.Coverage.Count("group: an abandoned commit overtook a newer one");
        }
    }
}
