using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>
/// The brokers that are to come, or to come again: ordered, fenced, started. They have no room for anything yet; but nobody is called for a second time in
/// their place before they have had their time.
/// </summary>
internal sealed class ComingBrokers(TimeSpan patience)
{
    private readonly Dictionary<NodeId, TimeSpan> _starting = [];
    private int _missing;
    private TimeSpan _missingSince;

    /// <summary>How many of those that there should be are not there.</summary>
    public int Missing => _missing;

    /// <summary>Those of them that it is still counted on.</summary>
    public int ExpectedMissing(TimeSpan now) => now - _missingSince < patience ? _missing : 0;

    /// <summary>Those that have come, have no load yet, and are still counted on.</summary>
    public int ExpectedStarting(TimeSpan now) => _starting.Values.Count(since => now - since < patience);

    public void Observe(BrokerCensus census, int desired, TimeSpan now)
    {
        var missing = Math.Max(0, desired - census.Current);
        if (missing != _missing)
        {
            Order(missing, now);
        }

        foreach (var node in census.Starting)
        {
            _starting.TryAdd(node, now);
        }

        foreach (var node in _starting.Keys.Except(census.Starting).ToArray())
        {
            _starting.Remove(node);
        }
    }

    /// <summary>So many were called for just now.</summary>
    public void Order(int missing, TimeSpan now) => (_missing, _missingSince) = (missing, now);
}
