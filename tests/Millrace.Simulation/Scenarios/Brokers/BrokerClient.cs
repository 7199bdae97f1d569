using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// Produces to one partition without idempotence, fetches from it, trims it, and commits offsets for a group that has no members. Never
/// sends anything twice.
/// </summary>
/// <param name="kernel">Its world.</param>
/// <param name="lane">Where it runs.</param>
/// <param name="client">Its connection to the partition's leader.</param>
/// <param name="coordinatorOf">Its connection to a group's coordinator.</param>
/// <param name="versions">What it speaks.</param>
/// <param name="reader">Fetches.</param>
internal sealed class BrokerClient(
    SimulationKernel kernel, Lane lane, SimulatedClient client, Func<string, SimulatedClient> coordinatorOf, SpokenVersions versions, PartitionReader reader)
{
    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());
    private readonly OffsetOracle _offsets = new(
        kernel, $"without-members-{reader.Oracle.Partition}", reader.Oracle.Partition);
    private readonly PartitionOracle _oracle = reader.Oracle;

    // What is trimmed is not audited.
    private readonly bool _trims = kernel.Random.Chance(0.5);

    public async Task RunAsync(Func<bool> isOver)
    {
        while (!isOver())
        {
            try
            {
                await (_random.Next(100) switch
                {
                    < 57 => ProduceAsync(),
                    < 60 => _trims ? TrimAsync() : Task.CompletedTask,
                    < 80 => reader.FetchAsync(_random.NextInt64(_oracle.End + 1)),
                    < 90 => CommitAsync(),
                    _ => FetchCommitAsync(_offsets),
                });
            }
            catch (IOException)
            {
                // The client has counted it.
            }

            await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(200)), lane.Time);
        }
    }

    /// <summary>At the end: everything is fetched, from the first offset to the last, and the groups are where they were.</summary>
    /// <param name="others">The offset of another group in this partition.</param>
    public async Task AuditAsync(OffsetOracle others)
    {
        await reader.AuditAsync(lane);
        await UntilAsync(() => FetchCommitAsync(_offsets));
        await UntilAsync(() => FetchCommitAsync(others));
    }

    private async Task UntilAsync(Func<Task<bool>> attempt)
    {
        while (true)
        {
            try
            {
                if (await attempt())
                {
                    return;
                }
            }
            catch (IOException)
            {
                // The client has counted it.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), lane.Time);
        }
    }

    private async Task ProduceAsync()
    {
        var batch = new BatchMaker(kernel, _random, versions.Produce >= SpokenVersions.FirstProduceWithZstd).Make(_oracle);
        var request = ProduceRequests.Of([batch], acks: -1, timeoutMs: 10_000);
        var answer = ProduceRequests.Only(await client.CallAsync<ProduceRequest, ProduceResponse>(request, versions.Produce));
        if (answer.ErrorCode != 0)
        {
            kernel.Coverage.Count($"clients: produce refused, {(ErrorCode)answer.ErrorCode}");
            return;
        }

        for (var i = 0; i < batch.Records.Length; i++)
        {
            _oracle.Acknowledged(answer.BaseOffset + i, batch.Records[i]);
        }
    }

    private async Task TrimAsync()
    {
        var offset = _random.Chance(0.5) ? _oracle.End : _random.NextInt64(_oracle.End + 1);
        _oracle.Trimming(offset);
        var request = new DeleteRecordsRequest
        {
            TimeoutMs = 10_000,
            Topics =
            [
                new DeleteRecordsRequest.DeleteRecordsTopic
                {
                    Name = BrokerWorld.Topic,
                    Partitions = [new DeleteRecordsRequest.DeleteRecordsPartition { PartitionIndex = _oracle.Partition, Offset = offset }],
                },
            ],
        };
        var trimmed = _oracle.TrimmedTo;
        var answer = await client.CallAsync<DeleteRecordsRequest, DeleteRecordsResponse>(request, versions.DeleteRecords);
        var partition = answer.Topics[0].Partitions[0];
        if (partition.ErrorCode != 0)
        {
            kernel.Coverage.Count($"clients: trim refused, {(ErrorCode)partition.ErrorCode}");
            return;
        }

        _oracle.Begins(partition.LowWatermark, Math.Max(trimmed, offset));
        _oracle.Trimmed(offset);
        kernel.Coverage.Count(offset == _oracle.End ? "clients: trimmed completely" : "clients: trimmed");
    }

    private async Task CommitAsync()
    {
        var offset = _offsets.Sent + _random.NextInt64(3) + 1;
        var commit = _offsets.Sending(offset);
        var request = new OffsetCommitRequest
        {
            GroupId = _offsets.Group,
            Topics =
            [
                new OffsetCommitRequest.OffsetCommitRequestTopic
                {
                    Name = BrokerWorld.Topic,
                    Partitions =
                    [
                        new OffsetCommitRequest.OffsetCommitRequestPartition
                        {
                            PartitionIndex = _oracle.Partition,
                            CommittedOffset = offset,
                            CommittedMetadata = "",
                        },
                    ],
                },
            ],
        };
        var answer = await coordinatorOf(_offsets.Group).CallAsync<OffsetCommitRequest, OffsetCommitResponse>(request, versions.OffsetCommit);
        if (answer.Topics[0].Partitions[0].ErrorCode == 0)
        {
            _offsets.Acknowledged(commit);
        }
    }

    private async Task<bool> FetchCommitAsync(OffsetOracle offsets)
    {
        var committed = offsets.Committed;
        var coordinator = coordinatorOf(offsets.Group);
        var request = new OffsetFetchRequest
        {
            GroupId = offsets.Group,
            Topics = [new OffsetFetchRequest.OffsetFetchRequestTopic { Name = BrokerWorld.Topic, PartitionIndexes = [offsets.Partition] }],
        };
        var answer = await coordinator.CallAsync<OffsetFetchRequest, OffsetFetchResponse>(request, versions.OffsetFetch);
        if (answer.ErrorCode != 0 || answer.Topics[0].Partitions[0] is not { ErrorCode: 0 } partition)
        {
            var error = answer.ErrorCode != 0 ? answer.ErrorCode : answer.Topics[0].Partitions[0].ErrorCode;
            kernel.Coverage.Count($"clients: offsets refused, {(ErrorCode)error}");
            if ((ErrorCode)error == ErrorCode.NotCoordinator)
            {
                // Nobody may have asked before, in a short life: whoever asks for a coordinator first makes the topic that they lead.
                await coordinator.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(
                    new FindCoordinatorRequest { Key = offsets.Group, KeyType = 0 }, versions.FindCoordinator);
            }

            return false;
        }

        offsets.Fetched(partition.CommittedOffset, committed);
        return true;
    }
}
