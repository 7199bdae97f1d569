using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Scenarios.Brokers;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// Somebody who has partitions moved while everything else goes on: random ones, those of groups too, to random brokers, whether or not they live; and
/// brokers drained.
/// </summary>
/// <param name="kernel">The world.</param>
/// <param name="client">Connects to any broker.</param>
/// <param name="topic">The topic that everybody works on.</param>
/// <param name="plot">What the world is about.</param>
/// <param name="keepsReplicas">Whether a partition has replicas beside its leader then.</param>
internal sealed class MovingPartitions(SimulationKernel kernel, SimulatedClient client, string topic, ClusterPlot plot, bool keepsReplicas)
{
    private const short Version = 1;
    private const int PatienceMs = 5_000;

    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());
    private readonly SpokenVersions _versions = new(kernel.Random);

    public async Task RunAsync(Func<bool> isOver)
    {
        // In some worlds there is hardly a moment without a move, in others some.
        var longestPause = TimeSpan.FromSeconds(plot == ClusterPlot.HandOvers ? 0.3 : _random.Pick([1, 4, 15]));
        while (!isOver())
        {
            await Task.Delay(_random.Between(TimeSpan.Zero, longestPause), kernel.World.Time);
            try
            {
                if (_random.Chance(0.1))
                {
                    await DrainAsync();
                }
                else
                {
                    await MoveAsync(_random.Chance(0.3) ? InternalTopics.ConsumerOffsets : topic);
                }
            }
            catch (IOException)
            {
                // The client has counted it.
            }
        }
    }

    private async Task MoveAsync(string name)
    {
        var described = await client.CallAsync<MetadataRequest, MetadataResponse>(
            new MetadataRequest { Topics = [new MetadataRequest.MetadataRequestTopic { Name = name }], AllowAutoTopicCreation = false }, _versions.Metadata);
        int[] brokers = [.. described.Brokers.Select(broker => broker.NodeId)];
        var partitions = described.Topics[0].Partitions.Where(_ => _random.Chance(0.5)).ToArray();
        if (partitions.Length == 0 || brokers.Length == 0)
        {
            return;
        }

        if (_random.Chance(0.2))
        {
            await ElectAsync(name, [.. partitions.Select(partition => partition.PartitionIndex)]);
            return;
        }

        var isCancel = _random.Chance(0.15);
        var answer = await client.CallAsync<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(
            new AlterPartitionReassignmentsRequest
            {
                TimeoutMs = PatienceMs,
                Topics =
                [
                    new()
                    {
                        Name = name,
                        Partitions =
                        [
                            .. partitions.Select(partition => new AlterPartitionReassignmentsRequest.ReassignablePartition
                            {
                                PartitionIndex = partition.PartitionIndex, Replicas = isCancel ? null : Replicas(brokers),
                            }),
                        ],
                    },
                ],
            },
            Version);
        Judge(answer.ErrorCode);
        foreach (var partition in answer.Responses.SelectMany(response => response.Partitions))
        {
            Judge(partition.ErrorCode, ErrorCode.NoReassignmentInProgress, ErrorCode.InvalidReplicaAssignment, ErrorCode.UnknownTopicOrPartition);
            kernel.Coverage.Count(isCancel ? "moves: cancelled" : "moves: asked for", partition.ErrorCode == 0 ? 1 : 0);
        }
    }

    private int[] Replicas(int[] brokers)
    {
        var leader = _random.Pick(brokers);
        return keepsReplicas ? [leader, .. brokers.Where(broker => broker != leader)] : [leader];
    }

    /// <summary>A broker is drained, or is no more.</summary>
    private async Task DrainAsync()
    {
        var described = await client.CallAsync<MetadataRequest, MetadataResponse>(
            new MetadataRequest { Topics = [], AllowAutoTopicCreation = false }, _versions.Metadata);
        if (described.Brokers.Count == 0)
        {
            return;
        }

        var isEnd = _random.Chance(0.6);
        var answer = await client.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new IncrementalAlterConfigsRequest
            {
                Resources =
                [
                    new()
                    {
                        ResourceType = (sbyte)ConfigResourceType.Broker,
                        ResourceName = _random.Pick([.. described.Brokers.Select(broker => $"{broker.NodeId}")]),
                        Configs =
                        [
                            new()
                            {
                                Name = BrokerConfigs.Drained,
                                ConfigOperation = (sbyte)(isEnd ? ConfigOperation.Delete : ConfigOperation.Set),
                                Value = isEnd ? null : "true",
                            },
                        ],
                    },
                ],
            },
            Version);

        // The last broker that may lead is not drained.
        Judge(answer.Responses[0].ErrorCode, ErrorCode.InvalidRequest);
        kernel.Coverage.Count(isEnd ? "drains: ended" : "drains: begun", answer.Responses[0].ErrorCode == 0 ? 1 : 0);
    }

    private async Task ElectAsync(string name, int[] partitions)
    {
        var answer = await client.CallAsync<ElectLeadersRequest, ElectLeadersResponse>(
            new ElectLeadersRequest { TimeoutMs = PatienceMs, TopicPartitions = [new() { Topic = name, Partitions = partitions }] }, Version);
        Judge(answer.ErrorCode);
        foreach (var partition in answer.ReplicaElectionResults.SelectMany(result => result.PartitionResult))
        {
            Judge(partition.ErrorCode, ErrorCode.ElectionNotNeeded, ErrorCode.PreferredLeaderNotAvailable, ErrorCode.UnknownTopicOrPartition);
            kernel.Coverage.Count("moves: elected", partition.ErrorCode == 0 ? 1 : 0);
        }
    }

    private void Judge(short code, params ReadOnlySpan<ErrorCode> expected)
    {
        var error = (ErrorCode)code;
        if (error is not (ErrorCode.None or ErrorCode.RequestTimedOut or ErrorCode.NotController) && !expected.Contains(error))
        {
            throw new ViolationException($"{error} for a move");
        }
    }
}
