using System.Buffers;
using System.Buffers.Binary;
using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>Produces to one partition, fetches from it, and commits what it has fetched for a group.</summary>
internal sealed class BrokerClient(SimulationKernel kernel, Lane lane, SimulatedClient client, PartitionOracle oracle)
{
    public const string Topic = "t";
    private const string Group = "g";
    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());

    public async Task RunAsync(Func<bool> isOver)
    {
        while (!isOver())
        {
            try
            {
                await (_random.Next(10) switch
                {
                    < 6 => ProduceAsync(),
                    < 8 => FetchAsync(_random.NextInt64(oracle.End + 1)),
                    < 9 => CommitAsync(),
                    _ => FetchCommitAsync(),
                });
            }
            catch (IOException)
            {
                kernel.Coverage.Count("clients: no answer");
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
            Topics = [new CreateTopicsRequest.CreatableTopic { Name = Topic, NumPartitions = partitions, ReplicationFactor = 1 }],
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
                kernel.Coverage.Count("clients: no answer");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), lane.Time);
        }
    }

    /// <summary>At the end: everything that is decided is fetched, from the first offset to the last, and the group is where it was.</summary>
    public async Task AuditAsync()
    {
        var (next, committed) = (0L, false);
        while (next < oracle.End || !committed)
        {
            try
            {
                if (next < oracle.End)
                {
                    next = await FetchAsync(next) ?? next;
                }
                else
                {
                    committed = oracle.CommitSent == 0 || await FetchCommitAsync();
                }
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), lane.Time);
            }
        }
    }

    private async Task ProduceAsync()
    {
        var batch = new RecordBatchBuilder();
        var records = Enumerable.Range(0, _random.Next(1, 5)).Select(_ => oracle.NextRecord()).ToArray();
        foreach (var record in records)
        {
            var value = new byte[sizeof(int) + _random.Next(500)];
            BinaryPrimitives.WriteInt32BigEndian(value, record);
            batch.Append(1_000 + record, (byte[]?)null, value);
        }

        var request = new ProduceRequest
        {
            Acks = -1,
            TimeoutMs = 10_000,
            TopicData =
            [
                new ProduceRequest.TopicProduceData
                {
                    Name = Topic,
                    PartitionData = [new ProduceRequest.PartitionProduceData { Index = oracle.Partition, Records = new ReadOnlySequence<byte>(batch.Build()) }],
                },
            ],
        };
        var answer = (await client.CallAsync<ProduceRequest, ProduceResponse>(request, 8)).Responses[0].PartitionResponses[0];
        if (answer.ErrorCode != 0)
        {
            kernel.Coverage.Count($"clients: produce refused, {(ErrorCode)answer.ErrorCode}");
            return;
        }

        for (var i = 0; i < records.Length; i++)
        {
            oracle.Acknowledged(answer.BaseOffset + i, records[i]);
        }
    }

    /// <returns>Where to go on, or null if nothing came.</returns>
    private async Task<long?> FetchAsync(long offset)
    {
        var request = new FetchRequest
        {
            MaxWaitMs = 500,
            MinBytes = 1,
            MaxBytes = 1 << 20,
            Topics =
            [
                new FetchRequest.FetchTopic
                {
                    Topic = Topic,
                    Partitions = [new FetchRequest.FetchPartition { Partition = oracle.Partition, FetchOffset = offset, PartitionMaxBytes = _random.Next(1, 50_000) }],
                },
            ],
        };
        var answer = await client.CallAsync<FetchRequest, FetchResponse>(request, 11);
        var partition = answer.Responses.Count == 0 ? null : answer.Responses[0].Partitions[0];
        if (partition is null || partition.ErrorCode != 0 || partition.Records is not { IsEmpty: false } bytes)
        {
            kernel.Coverage.Count($"clients: nothing fetched, {(ErrorCode)(partition?.ErrorCode ?? answer.ErrorCode)}");
            return null;
        }

        long? next = null;
        foreach (var batch in RecordBatch.Split(bytes.ToArray()))
        {
            foreach (var record in batch.ReadRecords(1 << 20))
            {
                if (record.Offset < offset)
                {
                    continue;
                }

                if (record.Offset != (next ?? offset))
                {
                    throw new ViolationException($"Partition {oracle.Partition}: offset {record.Offset} is fetched where {next ?? offset} should come");
                }

                oracle.Fetched(record.Offset, BinaryPrimitives.ReadInt32BigEndian(record.Value!.Value.Span));
                next = record.Offset + 1;
            }
        }

        return next;
    }

    private async Task CommitAsync()
    {
        await client.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new FindCoordinatorRequest { Key = Group, KeyType = 0 }, 2);
        var offset = oracle.CommitSent + _random.NextInt64(3) + 1;
        oracle.CommitSent = offset;
        var request = new OffsetCommitRequest
        {
            GroupId = $"{Group}{oracle.Partition}",
            Topics =
            [
                new OffsetCommitRequest.OffsetCommitRequestTopic
                {
                    Name = Topic,
                    Partitions = [new OffsetCommitRequest.OffsetCommitRequestPartition { PartitionIndex = oracle.Partition, CommittedOffset = offset, CommittedMetadata = "" }],
                },
            ],
        };
        var answer = await client.CallAsync<OffsetCommitRequest, OffsetCommitResponse>(request, 7);
        if (answer.Topics[0].Partitions[0].ErrorCode == 0)
        {
            oracle.CommitAcknowledged(offset);
        }
    }

    private async Task<bool> FetchCommitAsync()
    {
        var committed = oracle.Committed;
        var request = new OffsetFetchRequest
        {
            GroupId = $"{Group}{oracle.Partition}",
            Topics = [new OffsetFetchRequest.OffsetFetchRequestTopic { Name = Topic, PartitionIndexes = [oracle.Partition] }],
        };
        var answer = await client.CallAsync<OffsetFetchRequest, OffsetFetchResponse>(request, 5);
        if (answer.ErrorCode != 0 || answer.Topics[0].Partitions[0] is not { ErrorCode: 0 } partition)
        {
            return false;
        }

        oracle.CommitFetched(Math.Max(0, partition.CommittedOffset), committed);
        return true;
    }
}
