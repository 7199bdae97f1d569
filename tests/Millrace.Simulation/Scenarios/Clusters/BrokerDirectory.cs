using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>The machines, as clients reach them: by host and port, or any of them, as by a list of bootstrap servers.</summary>
internal sealed class BrokerDirectory(SeededRandom random, IReadOnlyList<ClusterMachine> machines) : IServerRoute
{
    /// <summary>The port of every broker.</summary>
    public const int Port = 9092;

    public ValueTask<SimulatedListener?> FindAsync() => ValueTask.FromResult(random.Pick(machines).Listener);

    public bool IsElsewhere(object answer) => false;

    public SimulatedListener? Find(string host, int port) =>
        port == Port ? machines.FirstOrDefault(machine => machine.Host == host)?.Listener : null;
}
