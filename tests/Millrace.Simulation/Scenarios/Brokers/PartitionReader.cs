using System.Buffers;
using Millrace.Protocol;
using Millrace.Protocol.Records;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>Fetches from one partition and shows the oracle what comes.</summary>
/// <param name="kernel">Its world.</param>
/// <param name="client">Its connection.</param>
/// <param name="versions">What it speaks.</param>
/// <param name="oracle">Knows what should come.</param>
/// <param name="rack">Where it is, and to whom of that rack it was sent; null of one that does not say.</param>
internal sealed class PartitionReader(
    SimulationKernel kernel, SimulatedClient client, SpokenVersions versions, PartitionOracle oracle, IReaderRack? rack = null)
{
    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());

    public PartitionOracle Oracle => oracle;

    /// <summary>The high watermark that the last fetch was told; -1 if it was told none.</summary>
    public long HighWatermark { get; private set; } = -1;

    /// <summary>One fetch, always by id where the topic's name may come again.</summary>
    /// <returns>Where to go on (further on, if what was asked for has been trimmed), or null if nothing came.</returns>
    /// <exception cref="IOException">No answer.</exception>
    public async Task<long?> FetchAsync(long offset)
    {
        HighWatermark = -1;
        var version = oracle.Topic.ComesAgain || rack is not null || _random.Chance(0.3) ? versions.FetchById : versions.Fetch;
        var request = new FetchRequest
        {
            MaxWaitMs = 500,
            MinBytes = 1,
            MaxBytes = 1 << 20,
            RackId = rack?.Name ?? "",
            Topics =
            [
                new FetchRequest.FetchTopic
                {
                    Topic = oracle.Topic.Name,
                    TopicId = oracle.Topic.Id,
                    Partitions =
                    [
                        new FetchRequest.FetchPartition
                        {
                            Partition = oracle.Partition,
                            FetchOffset = offset,
                            PartitionMaxBytes = _random.Next(1, 50_000),
                        },
                    ],
                },
            ],
        };

        // Who follows a partition may not have heard yet of what its leader has acknowledged; one that led it a moment ago may do that by now. What it tells
        // is true all the same.
        var (end, trimmed, isDeleted) = rack is not null ? (0, 0, false) : (oracle.End, oracle.TrimmedTo, oracle.Topic.IsDeleted);
        var answer = await client.CallAsync<FetchRequest, FetchResponse>(request, version);
        var partition = answer.Responses.Count == 0 ? null : answer.Responses[0].Partitions[0];
        var error = (ErrorCode)(partition?.ErrorCode ?? answer.ErrorCode);
        if (error is ErrorCode.UnknownTopicId or ErrorCode.UnknownTopicOrPartition)
        {
            return oracle.Topic.DeletionSent
                ? null
                : throw new ViolationException($"Partition {oracle.Topic.Name}-{oracle.Partition}: {error}, and nobody has deleted it");
        }

        // Whoever has no lease says so of every partition.
        if (isDeleted && error != ErrorCode.NotLeaderOrFollower)
        {
            throw new ViolationException($"Topic {oracle.Topic.Name} ({oracle.Topic.Id}) was deleted, and a fetch from it is answered {error}");
        }

        if (error == ErrorCode.OffsetOutOfRange)
        {
            kernel.Coverage.Count("clients: what was asked for had been trimmed");
            return offset < oracle.TrimSent
                ? oracle.TrimSent
                : throw new ViolationException(
                    $"Partition {oracle.Partition}: {offset} is out of range; it was trimmed to {oracle.TrimSent} at most, and {oracle.End} is known");
        }

        if (partition is null || error != ErrorCode.None)
        {
            kernel.Coverage.Count($"clients: nothing fetched, {error}");
            return null;
        }

        if (partition.PreferredReadReplica >= 0)
        {
            if (partition.Records is { IsEmpty: false } || rack is not { IsSent: false })
            {
                throw new ViolationException($"Partition {oracle.Partition}: a fetch is sent to broker {partition.PreferredReadReplica}, and should not be");
            }

            kernel.Coverage.Count("racks: sent to a broker of their own");
            client.Disconnect();
            rack.Send(partition.PreferredReadReplica);
            return null;
        }

        kernel.Coverage.Count("racks: read from a broker of their own", rack is { IsSent: true } && partition.Records is { IsEmpty: false } ? 1 : 0);
        if (version >= SpokenVersions.FirstFetchWithLogStart)
        {
            oracle.Begins(partition.LogStartOffset, trimmed);
        }

        if (partition.HighWatermark < end)
        {
            throw new ViolationException(
                $"Partition {oracle.Partition}: a fetch is told {partition.HighWatermark} for its end, and everything below {end} was known when it was sent");
        }

        HighWatermark = partition.HighWatermark;
        var next = partition.Records is { IsEmpty: false } bytes ? Show(offset, BuffersExtensions.ToArray(bytes)) : null;
        return next is null || next <= partition.HighWatermark
            ? next
            : throw new ViolationException(
                $"Partition {oracle.Partition}: records up to {next} are fetched, above the high watermark {partition.HighWatermark}");
    }

    /// <summary>At the end: everything is fetched, from the first offset to the last.</summary>
    public async Task AuditAsync(Lane lane)
    {
        var next = 0L;
        for (var isDone = false; !isDone;)
        {
            try
            {
                next = await FetchAsync(next) ?? next;
                isDone = next >= oracle.End && next == HighWatermark;
            }
            catch (IOException)
            {
                // The client has counted it.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), lane.Time);
        }

        oracle.Audited();
    }

    private long? Show(long offset, byte[] bytes)
    {
        long? next = null;
        foreach (var batch in RecordBatch.Split(bytes))
        {
            if (!batch.IsIntact)
            {
                throw new ViolationException($"Partition {oracle.Partition}: the batch at {batch.Header.BaseOffset} is damaged");
            }

            oracle.WrittenIn(batch.Header.BaseOffset, batch.Header.PartitionLeaderEpoch);
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

                oracle.Fetched(record.Offset, record.Value!.Value.Span);
                next = record.Offset + 1;
            }
        }

        return next;
    }
}
