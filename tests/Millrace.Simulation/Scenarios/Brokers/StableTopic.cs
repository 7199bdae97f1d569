using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>Makes a topic of a name that nobody else uses.</summary>
internal sealed class StableTopic(SimulationKernel kernel, Lane lane, SimulatedClient client)
{
    private readonly SpokenVersions _versions = new(kernel.Random);

    /// <summary>Asks for it until the broker says that it is there.</summary>
    public async Task<TopicOracle> CreateAsync(string name, int partitions, int number = 0, short replicas = 1)
    {
        var request = new CreateTopicsRequest
        {
            TimeoutMs = 10_000,
            Topics =
            [
                new CreateTopicsRequest.CreatableTopic
                {
                    Name = name, NumPartitions = partitions, ReplicationFactor = replicas, Configs = BrokerWorld.TopicConfigs,
                },
            ],
        };
        while (true)
        {
            try
            {
                var answer = await client.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(request, _versions.CreateTopics);
                if ((ErrorCode)answer.Topics[0].ErrorCode is ErrorCode.None or ErrorCode.TopicAlreadyExists)
                {
                    var described = await client.CallAsync<MetadataRequest, MetadataResponse>(
                        new MetadataRequest
                        {
                            Topics = [new MetadataRequest.MetadataRequestTopic { Name = name }], AllowAutoTopicCreation = false,
                        },
                        _versions.Metadata);
                    if (described.Topics[0] is { ErrorCode: 0, TopicId: var id })
                    {
                        var topic = new TopicOracle(kernel, name, number, comesAgain: false) { Id = id };
                        topic.GrowTo(partitions);
                        return topic;
                    }
                }
            }
            catch (IOException)
            {
                // The client has counted it.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), lane.Time);
        }
    }
}
