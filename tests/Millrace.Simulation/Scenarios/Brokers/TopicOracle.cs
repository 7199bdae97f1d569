using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>What clients know of one incarnation of a topic: its name may come again, its id never.</summary>
/// <param name="kernel">Its world.</param>
/// <param name="name">The topic's.</param>
/// <param name="number">Which of the world's topics it is; no two incarnations have the same.</param>
/// <param name="comesAgain">It may be deleted, and others be created under its name.</param>
internal sealed class TopicOracle(SimulationKernel kernel, string name, int number, bool comesAgain)
{
    /// <summary>More partitions than any topic is given.</summary>
    public const int MostPartitions = 100;

    private readonly List<PartitionOracle> _partitions = [];

    public string Name => name;

    public int Number => number;

    public bool ComesAgain => comesAgain;

    public required Guid Id { get; init; }

    /// <summary>Those that are known to be there.</summary>
    public IReadOnlyList<PartitionOracle> Partitions => _partitions;

    /// <summary>Its deletion was sent: from now on it may be gone.</summary>
    public bool DeletionSent { get; set; }

    /// <summary>Its deletion was acknowledged: nothing of it may be seen again.</summary>
    public bool IsDeleted { get; set; }

    /// <summary>It is known to have so many partitions; it never has fewer again.</summary>
    public void GrowTo(int partitions)
    {
        if (partitions < _partitions.Count)
        {
            throw new ViolationException($"Topic {name} ({Id}) has {partitions} partitions, after it had {_partitions.Count}");
        }

        while (_partitions.Count < partitions)
        {
            _partitions.Add(new PartitionOracle(kernel, this, _partitions.Count));
        }
    }
}
