namespace Millrace.Simulation.Network;

/// <summary>Where a client's requests go.</summary>
internal interface IServerRoute
{
    /// <summary>Finds out whom to connect to. Asked before each connection.</summary>
    /// <returns>Null if nobody is known at the moment.</returns>
    ValueTask<SimulatedListener?> FindAsync();

    /// <summary>Whether an answer says that its request belongs elsewhere: then the client leaves, and asks for the way again.</summary>
    bool IsElsewhere(object answer);
}
