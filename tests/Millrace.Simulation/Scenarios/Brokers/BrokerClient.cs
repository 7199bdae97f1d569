using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// Produces to one partition without idempotence, fetches from it, and commits offsets for a group that has no members. Never
/// sends anything twice.
/// </summary>
internal sealed class BrokerClient(SimulationKernel kernel, Lane lane, SimulatedClient client, PartitionReader reader)
{
    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());
    private readonly OffsetOracle _offsets = new(kernel, GroupOf(reader.Oracle), reader.Oracle.Partition);
    private readonly PartitionOracle _oracle = reader.Oracle;

    public async Task RunAsync(Func<bool> isOver)
    {
        while (!isOver())
        {
            try
            {
                await (_random.Next(10) switch
                {
                    < 6 => ProduceAsync(),
                    < 8 => reader.FetchAsync(_random.NextInt64(_oracle.End + 1)),
                    < 9 => CommitAsync(),
                    _ => FetchCommitAsync(),
                });
            }
            catch (IOException)
            {
                // The client has counted it.
            }

            await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(200)), lane.Time);
        }
    }

    /// <summary>Makes the topic if it is not there, until the broker says that it is.</summary>
    public async Task CreateTopicAsync(int partitions)
    {
        var request = new CreateTopicsRequest
        {
            TimeoutMs = 10_000,
            Topics = [new CreateTopicsRequest.CreatableTopic { Name = BrokerWorld.Topic, NumPartitions = partitions, ReplicationFactor = 1 }],
        };
        while (true)
        {
            try
            {
                var answer = await client.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(request, 4);
                if ((ErrorCode)answer.Topics[0].ErrorCode is ErrorCode.None or ErrorCode.TopicAlreadyExists)
                {
                    return;
                }
            }
            catch (IOException)
            {
                // The client has counted it.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), lane.Time);
        }
    }

    /// <summary>At the end: everything is fetched, from the first offset to the last, and the group is where it was.</summary>
    public async Task AuditAsync()
    {
        var (next, isComplete, isCommitted) = (0L, false, false);
        while (!isComplete || !isCommitted)
        {
            try
            {
                next = await reader.FetchAsync(next) ?? next;
                isComplete = next >= _oracle.End && next == reader.HighWatermark;
                isCommitted = isCommitted || isComplete && await FetchCommitAsync();
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), lane.Time);
            }
        }

        _oracle.Audited();
    }

    private static string GroupOf(PartitionOracle oracle) => $"without-members-{oracle.Partition}";

    private async Task ProduceAsync()
    {
        var records = Enumerable.Range(0, _random.Next(1, 5)).Select(_ => _oracle.NextRecord()).ToArray();
        var request = ProduceRequests.Of(kernel, _random, _oracle.Partition, records, new RecordBatchBuilder());
        var answer = ProduceRequests.Only(await client.CallAsync<ProduceRequest, ProduceResponse>(request, ProduceRequests.Version));
        if (answer.ErrorCode != 0)
        {
            kernel.Coverage.Count($"clients: produce refused, {(ErrorCode)answer.ErrorCode}");
            return;
        }

        for (var i = 0; i < records.Length; i++)
        {
            _oracle.Acknowledged(answer.BaseOffset + i, records[i]);
        }
    }

    private async Task CommitAsync()
    {
        var offset = _offsets.Sent + _random.NextInt64(3) + 1;
        var commit = _offsets.Sending(offset);
        var request = new OffsetCommitRequest
        {
            GroupId = GroupOf(_oracle),
            Topics =
            [
                new OffsetCommitRequest.OffsetCommitRequestTopic
                {
                    Name = BrokerWorld.Topic,
                    Partitions = [new OffsetCommitRequest.OffsetCommitRequestPartition { PartitionIndex = _oracle.Partition, CommittedOffset = offset, CommittedMetadata = "" }],
                },
            ],
        };
        var answer = await client.CallAsync<OffsetCommitRequest, OffsetCommitResponse>(request, 7);
        if (answer.Topics[0].Partitions[0].ErrorCode == 0)
        {
            _offsets.Acknowledged(commit);
        }
    }

    private async Task<bool> FetchCommitAsync()
    {
        var committed = _offsets.Committed;
        var request = new OffsetFetchRequest
        {
            GroupId = GroupOf(_oracle),
            Topics = [new OffsetFetchRequest.OffsetFetchRequestTopic { Name = BrokerWorld.Topic, PartitionIndexes = [_oracle.Partition] }],
        };
        var answer = await client.CallAsync<OffsetFetchRequest, OffsetFetchResponse>(request, 5);
        if (answer.ErrorCode != 0 || answer.Topics[0].Partitions[0] is not { ErrorCode: 0 } partition)
        {
            return false;
        }

        _offsets.Fetched(partition.CommittedOffset, committed);
        return true;
    }
}
