namespace Millrace.Simulation.Network;

/// <summary>The way to the one server that there is, while it listens.</summary>
internal sealed class OnlyServer(Func<SimulatedListener?> server) : IServerRoute
{
    public ValueTask<SimulatedListener?> FindAsync() => ValueTask.FromResult(server());

    public bool IsElsewhere(object answer) => false;
}
