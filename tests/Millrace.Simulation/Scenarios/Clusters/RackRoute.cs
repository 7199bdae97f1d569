using Millrace.Simulation.Network;
using Millrace.Simulation.Scenarios.Brokers;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>The way to a partition's leader, or to the broker of its rack that this one has sent a reader to.</summary>
/// <param name="name">The rack.</param>
/// <param name="leader">The way to the leader, and to whoever it names.</param>
internal sealed class RackRoute(string name, LeaderRoute leader) : IServerRoute, IReaderRack
{
    private int? _sentTo;

    public string Name => name;

    public bool IsSent => _sentTo is not null;

    public void Send(int broker) => _sentTo = broker;

    /// <summary>Nobody answers there: back to the leader.</summary>
    public void GiveUp() => _sentTo = null;

    public ValueTask<SimulatedListener?> FindAsync() => _sentTo is { } broker ? leader.FindAsync(broker) : leader.FindAsync();

    public bool IsElsewhere(object answer)
    {
        if (!leader.IsElsewhere(answer))
        {
            return false;
        }

        GiveUp();
        return true;
    }
}
