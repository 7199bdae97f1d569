using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// Somebody who has topics lie in other WALs while everything else goes on, that of groups too: on disks, in the bucket, and on devices where there are some.
/// </summary>
/// <param name="kernel">The world.</param>
/// <param name="client">Connects to any broker.</param>
/// <param name="topic">The topic that everybody works on.</param>
/// <param name="hasDevices">Whether brokers have WALs on devices.</param>
internal sealed class ChangingWals(SimulationKernel kernel, SimulatedClient client, string topic, bool hasDevices)
{
    private const short Version = 1;
    private static readonly string[] Wals = ["file", "object", "block", "default"];

    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());

    public async Task RunAsync(Func<bool> isOver)
    {
        var longestPause = TimeSpan.FromSeconds(_random.Pick([1, 4, 10]));
        while (!isOver())
        {
            await Task.Delay(_random.Between(TimeSpan.Zero, longestPause), kernel.World.Time);
            try
            {
                await ChooseAsync(_random.Chance(0.2) ? InternalTopics.ConsumerOffsets : topic);
            }
            catch (IOException)
            {
                // The client has counted it.
            }
        }
    }

    private async Task ChooseAsync(string name)
    {
        var wal = _random.Pick(Wals);
        var answer = await client.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new IncrementalAlterConfigsRequest
            {
                Resources =
                [
                    new()
                    {
                        ResourceType = (sbyte)ConfigResourceType.Topic,
                        ResourceName = name,
                        Configs = [new() { Name = TopicConfigs.Wal, ConfigOperation = (sbyte)ConfigOperation.Set, Value = wal }],
                    },
                ],
            },
            Version);
        var error = (ErrorCode)answer.Responses[0].ErrorCode;
        if (error is not (ErrorCode.None or ErrorCode.RequestTimedOut or ErrorCode.NotController or ErrorCode.UnknownTopicOrPartition)
            && !(error == ErrorCode.InvalidConfig && wal == "block" && !hasDevices))
        {
            throw new ViolationException($"{error} for another WAL of {name}");
        }

        kernel.Coverage.Count("wals: asked for another", error == ErrorCode.None ? 1 : 0);
    }
}
