using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// Produces to several partitions of several topics at once, with every number of acknowledgements and every time-out, some of the
/// batches such that they must be refused while their neighbours are appended; and fetches from all. Sends nothing twice.
/// </summary>
/// <param name="kernel">Its world.</param>
/// <param name="lane">Where it runs.</param>
/// <param name="client">Its connection.</param>
/// <param name="topics">The topics that there are, or were until a moment ago.</param>
internal sealed class MixedClient(SimulationKernel kernel, Lane lane, SimulatedClient client, Func<IReadOnlyList<TopicOracle>> topics)
{
    private const int MostUnderWay = 4;
    private const int MostBatches = 4;
    private static readonly BatchFlaw[] Flaws = [BatchFlaw.Checksum, BatchFlaw.Malformed, BatchFlaw.TooLarge, BatchFlaw.UnknownPartition];
    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());
    private readonly SpokenVersions _versions = new(kernel.Random);

    public async Task RunAsync(Func<bool> isOver)
    {
        while (!isOver())
        {
            try
            {
                await (_random.Chance(0.7) ? ProduceAsync() : FetchAsync());
            }
            catch (IOException)
            {
                // The client has counted it.
            }

            await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)), lane.Time);
        }
    }

    private async Task FetchAsync()
    {
        var oracle = _random.Pick(_random.Pick(topics()).Partitions);
        await new PartitionReader(kernel, client, _versions, oracle).FetchAsync(_random.NextInt64(oracle.End + 1));
    }

    private async Task ProduceAsync()
    {
        var known = topics();

        // A name may come again, an id does not: what goes to a topic that may be deleted goes by id.
        var version = _random.Chance(0.7) ? _versions.ProduceById : _versions.Produce;
        var partitions = known.Where(topic => !topic.ComesAgain || version == _versions.ProduceById).SelectMany(topic => topic.Partitions).ToArray();
        var sent = Enumerable.Range(0, _random.Next(1, MostUnderWay + 1)).Select(_ => NewRequest(partitions, version)).ToArray();
        var answers = await client.CallAllAsync<ProduceRequest, ProduceResponse>(
            [.. sent.Select(request => request.Request)], version, request => request.Acks != 0);
        Settle(sent, answers);
    }

    private (ProduceRequest Request, SentBatch[] Batches) NewRequest(PartitionOracle[] partitions, short version)
    {
        var maker = new BatchMaker(kernel, _random, version >= SpokenVersions.FirstProduceWithZstd);
        List<PartitionOracle> left = [.. partitions];
        List<SentBatch> batches = [];
        for (var i = Math.Min(left.Count, _random.Next(1, MostBatches + 1)); i > 0; i--)
        {
            var partition = _random.Pick(left);
            left.Remove(partition);
            var flaw = _random.Chance(0.15) ? _random.Pick(Flaws) : BatchFlaw.None;
            // Of partitions that do not exist, a request names only one: no topic twice.
            flaw = flaw == BatchFlaw.UnknownPartition && batches.Exists(other => other.Flaw == flaw) ? BatchFlaw.None : flaw;
            batches.Add(maker.Make(partition, flaw));
        }

        // In the order in which the request, and its answer, name them.
        batches = [.. batches.GroupBy(batch => batch.Partition.Topic).SelectMany(topic => topic)];
        var acks = (short)_random.Next(-1, 2);
        if (acks == 0 && batches.Exists(batch => batch.Flaw != BatchFlaw.None))
        {
            // It would only be told by the end of the connection.
            acks = -1;
        }

        return (ProduceRequests.Of(batches, acks, ProduceRequests.Timeout(_random)), [.. batches]);
    }

    private void Settle((ProduceRequest Request, SentBatch[] Batches)[] sent, IReadOnlyList<ProduceResponse> answers)
    {
        var next = 0;
        List<SentBatch> silent = [];
        foreach (var (request, batches) in sent)
        {
            if (request.Acks == 0)
            {
                silent.AddRange(batches);
            }
            else if (next < answers.Count)
            {
                // Answers come in the order of the requests, and an error of one without an answer would have ended the connection.
                silent.ForEach(Confirm);
                silent.Clear();
                var answered = answers[next++].Responses.SelectMany(topic => topic.PartitionResponses).ToArray();
                kernel.Coverage.Count(
                    "mixed: requests of which some batches were refused",
                    Array.Exists(answered, IsRefused) && !Array.TrueForAll(answered, IsRefused) ? 1 : 0);
                for (var i = 0; i < batches.Length; i++)
                {
                    Settle(batches[i], answered[i]);
                }
            }
        }
    }

    private static bool IsRefused(ProduceResponse.PartitionProduceResponse answer) => answer.ErrorCode != 0;

    private void Confirm(SentBatch batch)
    {
        ThrowIfDeleted(batch);
        kernel.Coverage.Count("mixed: batches of acks 0 confirmed");
        foreach (var record in batch.Records)
        {
            batch.Partition.AcknowledgedSomewhere(record);
        }
    }

    private void Settle(SentBatch batch, ProduceResponse.PartitionProduceResponse answer)
    {
        if (answer.Index != batch.Index)
        {
            throw new ViolationException($"The answer for partition {answer.Index} stands where that for {batch.Index} should");
        }

        var error = (ErrorCode)answer.ErrorCode;
        kernel.Coverage.Count($"mixed: {(batch.Flaw == BatchFlaw.None ? "" : batch.Flaw + ": ")}{error}");
        switch (error)
        {
            case ErrorCode.None when batch.Flaw == BatchFlaw.None:
                ThrowIfDeleted(batch);
                for (var i = 0; i < batch.Records.Length; i++)
                {
                    batch.Partition.Acknowledged(answer.BaseOffset + i, batch.Records[i]);
                }

                break;
            case ErrorCode.UnknownTopicId or ErrorCode.UnknownTopicOrPartition
                when batch.Flaw == BatchFlaw.UnknownPartition || batch.Partition.Topic.DeletionSent:
            case ErrorCode.CorruptMessage when batch.Flaw == BatchFlaw.Checksum:
            case ErrorCode.InvalidRecord when batch.Flaw == BatchFlaw.Malformed:
            case ErrorCode.MessageTooLarge when batch.Flaw == BatchFlaw.TooLarge || batch.Partition.Topic.ComesAgain:
                Array.ForEach(batch.Records, batch.Partition.Refused);
                break;
            case ErrorCode.RequestTimedOut or ErrorCode.NotLeaderOrFollower or ErrorCode.LeaderNotAvailable or ErrorCode.KafkaStorageError:
            case var _ when BrokerWorld.IsForWantOfMemory(kernel, error):
                break;
            default:
                throw new ViolationException($"A batch ({batch.Flaw}) for {batch.Partition.Topic.Name}-{batch.Partition.Partition} is answered {error}");
        }
    }

    private static void ThrowIfDeleted(SentBatch batch)
    {
        if (batch.IsForDeleted)
        {
            throw new ViolationException($"Topic {batch.Partition.Topic.Name} ({batch.Partition.Topic.Id}) was deleted, and takes a batch");
        }
    }
}
