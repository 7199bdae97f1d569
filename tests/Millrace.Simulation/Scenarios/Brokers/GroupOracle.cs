using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>What the members of one group know together: who owned which partition in which generation, and what was committed.</summary>
internal sealed class GroupOracle(SimulationKernel kernel, string group, int partitions)
{
    private readonly SortedDictionary<(int Generation, int Partition), string> _owners = [];
    private readonly Dictionary<int, string> _lastOwners = [];
    private readonly HashSet<string> _membersOfNewest = new(StringComparer.Ordinal);

    public string Group => group;

    /// <summary>By partition.</summary>
    public OffsetOracle[] Offsets { get; } =
        [.. Enumerable.Range(0, partitions).Select(partition => new OffsetOracle(kernel, group, partition))];

    /// <summary>The newest generation that anybody was given partitions in: all before it are over.</summary>
    public int NewestGeneration { get; private set; } = -1;

    /// <summary>A member was told what it owns.</summary>
    public void Synced(int generation, string member, IReadOnlyList<int> owned)
    {
        kernel.Coverage.Count("group: syncs");
        if (generation > NewestGeneration)
        {
            kernel.Coverage.Count("group: generations");
            NewestGeneration = generation;
            _membersOfNewest.Clear();
        }

        if (generation == NewestGeneration && _membersOfNewest.Add(member) && _membersOfNewest.Count == 2)
        {
            kernel.Coverage.Count("group: generations with two members");
        }

        foreach (var partition in owned)
        {
            if (_owners.TryGetValue((generation, partition), out var other) && other != member)
            {
                throw new ViolationException($"Group {group}: in generation {generation}, partition {partition} is owned by {other} and by {member}");
            }

            _owners[(generation, partition)] = member;
            if (_lastOwners.TryGetValue(partition, out var former) && former != member)
            {
                kernel.Coverage.Count("group: partitions that changed hands");
            }

            _lastOwners[partition] = member;
        }
    }

    /// <summary>A member's commit was accepted.</summary>
    /// <param name="generation">The member's.</param>
    /// <param name="newestBefore">The newest generation that was known to be under way when the commit was sent.</param>
    /// <param name="partition">Whose offset it is.</param>
    /// <param name="commit">What was committed.</param>
    public void CommitAcknowledged(int generation, int newestBefore, int partition, OffsetCommit commit)
    {
        if (generation < newestBefore)
        {
            throw new ViolationException($"Group {group}: a commit of generation {generation} was accepted in generation {newestBefore}");
        }

        Offsets[partition].Acknowledged(commit);
    }
}
