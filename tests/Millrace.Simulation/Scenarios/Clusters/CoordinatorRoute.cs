using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Scenarios.Brokers;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>The way to a group's coordinator, as any broker tells it.</summary>
/// <param name="kernel">Its world.</param>
/// <param name="brokers">All of them.</param>
/// <param name="any">Connects to any of them.</param>
/// <param name="group">Whose coordinator is wanted.</param>
internal sealed class CoordinatorRoute(SimulationKernel kernel, BrokerDirectory brokers, SimulatedClient any, string group) : IServerRoute
{
    private readonly SpokenVersions _versions = new(kernel.Random);

    public async ValueTask<SimulatedListener?> FindAsync()
    {
        try
        {
            var answer = await any.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(
                new FindCoordinatorRequest { Key = group, KeyType = 0 }, _versions.FindCoordinator);
            // The next time another one is asked: this one may be behind.
            any.Disconnect();
            return answer.ErrorCode == 0 ? brokers.Find(answer.Host, answer.Port) : null;
        }
        catch (IOException)
        {
            // The client has counted it.
            return null;
        }
    }

    public bool IsElsewhere(object answer) => Misdirection.IsIn(answer);
}
