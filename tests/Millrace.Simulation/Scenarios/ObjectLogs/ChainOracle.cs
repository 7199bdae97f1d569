using System.Runtime.CompilerServices;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.ObjectLogs;

/// <summary>
/// What everyone together has seen of a chain: one history that all readers agree on, one owner for each term, and every
/// acknowledged entry in the history.
/// </summary>
internal sealed class ChainOracle(SimulationKernel kernel)
{
    private readonly List<(LogPlace Place, int Entry)> _history = [];
    private readonly Dictionary<int, int> _indexes = [];
    private readonly SortedDictionary<int, LogPlace> _acknowledged = [];
    private readonly Dictionary<long, string> _owners = [];
    private long _ownedTerm;
    private int _entries;

    public int NextEntry() => _entries++;

    public int Acknowledgements => _acknowledged.Count;

    /// <summary>A reader whose state is the first <paramref name="count"/> entries of the history applies one more.</summary>
    public void Applied(string reader, int count, LogPlace place, int entry)
    {
        if (count < _history.Count)
        {
            Require(_history[count] == (place, entry), $"{reader} applied entry {entry} at {place} as number {count}; others had {_history[count]} there");
            return;
        }

        Require(count == _history.Count, $"{reader} has {count} entries, and the history only {_history.Count}");
        Require(_indexes.TryAdd(entry, count), $"{reader} applied entry {entry} at {place}, which was applied before");
        _history.Add((place, entry));
    }

    public void Acknowledged(string owner, LogPlace place, int entry)
    {
        kernel.Coverage.Count(CoverageNames.Acknowledged);
        Require(_acknowledged.TryAdd(entry, place), $"{owner} acknowledged entry {entry} twice");
        // Once a later term has an owner, that owner has applied all there will ever be of this one.
        Require(
            place.Term >= _ownedTerm || IsInHistory(entry, place),
            $"{owner} acknowledged entry {entry} at {place} after term {_ownedTerm} had begun without it");
    }

    public void Owned(string owner, long term, int count)
    {
        Require(_owners.TryAdd(term, owner), $"{owner} owns term {term}, and so does {_owners.GetValueOrDefault(term)}");
        _ownedTerm = Math.Max(_ownedTerm, term);
        foreach (var (entry, place) in _acknowledged)
        {
            Require(
                place.Term >= term || _indexes.TryGetValue(entry, out var index) && index < count,
                $"{owner} owns term {term} without the acknowledged entry {entry} of {place}");
        }
    }

    /// <summary>At the end: everything acknowledged is where it was acknowledged.</summary>
    public void CheckAll()
    {
        foreach (var (entry, place) in _acknowledged)
        {
            Require(IsInHistory(entry, place), $"The acknowledged entry {entry} of {place} is lost");
        }
    }

    private bool IsInHistory(int entry, LogPlace place) => _indexes.TryGetValue(entry, out var index) && _history[index].Place == place;

    private static void Require(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref ViolationText otherwise)
    {
        if (!holds)
        {
            throw new ViolationException(otherwise.ToStringAndClear());
        }
    }
}
