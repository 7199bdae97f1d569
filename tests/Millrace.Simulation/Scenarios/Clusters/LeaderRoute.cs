using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Scenarios.Brokers;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>The way to a partition's leader, as any broker tells it.</summary>
/// <param name="kernel">Its world.</param>
/// <param name="brokers">All of them.</param>
/// <param name="any">Connects to any of them.</param>
/// <param name="partition">Whose leader is wanted.</param>
internal sealed class LeaderRoute(SimulationKernel kernel, BrokerDirectory brokers, SimulatedClient any, PartitionOracle partition) : IServerRoute
{
    private readonly SpokenVersions _versions = new(kernel.Random);

    public ValueTask<SimulatedListener?> FindAsync() => FindAsync(found => found.LeaderId);

    /// <summary>The way to another broker, as any of them tells it.</summary>
    public ValueTask<SimulatedListener?> FindAsync(int broker) => FindAsync(_ => broker);

    public bool IsElsewhere(object answer)
    {
        var isElsewhere = Misdirection.IsIn(answer);
        kernel.Coverage.Count("clients: sent elsewhere", isElsewhere ? 1 : 0);
        return isElsewhere;
    }

    private async ValueTask<SimulatedListener?> FindAsync(Func<MetadataResponse.MetadataResponsePartition, int> choose)
    {
        try
        {
            var answer = await any.CallAsync<MetadataRequest, MetadataResponse>(
                new MetadataRequest
                {
                    Topics = [new MetadataRequest.MetadataRequestTopic { Name = partition.Topic.Name }], AllowAutoTopicCreation = false,
                },
                _versions.Metadata);
            // The next time another one is asked: this one may be behind.
            any.Disconnect();
            var wanted = answer.Topics[0].Partitions.FirstOrDefault(found => found.PartitionIndex == partition.Partition) is { } told ? choose(told) : -1;
            return answer.Brokers.FirstOrDefault(broker => broker.NodeId == wanted) is { } found ? brokers.Find(found.Host, found.Port) : null;
        }
        catch (IOException)
        {
            // The client has counted it.
            return null;
        }
    }
}
