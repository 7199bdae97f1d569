using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>What clients know of one partition: which record stands at which offset, because it was acknowledged or fetched.</summary>
internal sealed class PartitionOracle(SimulationKernel kernel, int partition)
{
    private readonly SortedDictionary<long, int> _decided = [];
    private readonly Dictionary<int, long> _offsets = [];
    private int _records;

    public int Partition => partition;

    /// <summary>Everything below was acknowledged or fetched.</summary>
    public long End { get; private set; }

    /// <summary>The newest committed offset that was acknowledged to the group; and the newest that was sent.</summary>
    public long Committed { get; private set; }

    public long CommitSent { get; set; }

    public int NextRecord() => _records++;

    public void Acknowledged(long offset, int record)
    {
        kernel.Coverage.Count(CoverageNames.Acknowledged);
        Decide(offset, record);
    }

    public void Fetched(long offset, int record) => Decide(offset, record);

    public void CommitAcknowledged(long offset)
    {
        kernel.Coverage.Count(CoverageNames.Acknowledged);
        Committed = Math.Max(Committed, offset);
    }

    public void CommitFetched(long offset, long committedBefore) =>
        Require(offset >= committedBefore && offset <= CommitSent, $"the group is at {offset}; {committedBefore} was acknowledged, and {CommitSent} sent");

    private void Decide(long offset, int record)
    {
        Require(!_decided.TryGetValue(offset, out var other) || other == record, $"offset {offset} holds record {record} for one, and {other} for another");
        Require(!_offsets.TryGetValue(record, out var elsewhere) || elsewhere == offset, $"record {record} stands at {offset} and at {elsewhere}");
        _decided[offset] = record;
        _offsets[record] = offset;
        End = Math.Max(End, offset + 1);
    }

    private void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new ViolationException($"Partition {partition}: {otherwise}");
        }
    }
}
