using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// An idempotent producer of one partition: up to five batches under way at a time, each sent again under its sequence number
/// until it is acknowledged. Now and then it dies and begins anew under another id.
/// </summary>
internal sealed class IdempotentProducer(SimulationKernel kernel, Lane lane, SimulatedClient client, PartitionOracle oracle)
{
    private const int MostUnderWay = 5;
    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());
    private readonly List<Batch> _unsettled = [];
    private long _id = -1;
    private short _epoch;
    private int _number;
    private int _nextSequence;

    public async Task RunAsync(Func<bool> isOver)
    {
        while (!isOver())
        {
            try
            {
                if (_id < 0)
                {
                    await BeginAsync();
                }
                else
                {
                    await SendAsync();
                }
            }
            catch (IOException)
            {
                // The client has counted it.
            }

            if (_random.Chance(0.02))
            {
                // Whether what is under way has arrived is never asked; the next one knows nothing of it.
                kernel.Coverage.Count("idempotent: producers that died");
                client.Disconnect();
                _id = -1;
            }

            await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(500)), lane.Time);
        }
    }

    private async Task BeginAsync()
    {
        var answer = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(new InitProducerIdRequest { TransactionalId = null, TransactionTimeoutMs = 60_000 }, 4);
        if (answer.ErrorCode != 0)
        {
            kernel.Coverage.Count($"idempotent: no id, {(ErrorCode)answer.ErrorCode}");
            return;
        }

        (_id, _epoch, _nextSequence) = (answer.ProducerId, answer.ProducerEpoch, 0);
        _number = oracle.NewIdempotentProducer();
        _unsettled.Clear();
    }

    private async Task SendAsync()
    {
        // Nothing new before what was lost is settled: the broker remembers five batches, and the lost one must be among them.
        if (_unsettled.Count == 0)
        {
            for (var i = _random.Next(1, MostUnderWay + 1); i > 0; i--)
            {
                _unsettled.Add(NewBatch());
            }
        }

        foreach (var batch in _unsettled)
        {
            batch.EndWhenSent = oracle.End;
            kernel.Coverage.Count("idempotent: batches sent again", batch.Sends++ > 0 ? 1 : 0);
        }

        Batch[] sent = [.. _unsettled];
        var answers = await client.CallAllAsync<ProduceRequest, ProduceResponse>([.. sent.Select(batch => batch.Request)], ProduceRequests.Version);
        for (var i = 0; i < answers.Count; i++)
        {
            Settle(sent[i], ProduceRequests.Only(answers[i]));
        }
    }

    private void Settle(Batch batch, ProduceResponse.PartitionProduceResponse answer)
    {
        switch ((ErrorCode)answer.ErrorCode)
        {
            case ErrorCode.None:
                if (batch.Sends > 1 && answer.BaseOffset < batch.EndWhenSent)
                {
                    kernel.Coverage.Count("idempotent: a batch without an answer had arrived");
                }

                for (var i = 0; i < batch.Records.Length; i++)
                {
                    oracle.Acknowledged(answer.BaseOffset + i, batch.Records[i]);
                }

                _unsettled.Remove(batch);
                break;
            case ErrorCode.OutOfOrderSequenceNumber when _unsettled[0] != batch:
            case ErrorCode.RequestTimedOut or ErrorCode.NotLeaderOrFollower or ErrorCode.LeaderNotAvailable or ErrorCode.KafkaStorageError or ErrorCode.UnknownTopicOrPartition:
                kernel.Coverage.Count($"idempotent: refused, {(ErrorCode)answer.ErrorCode}");
                kernel.Trace.Note($"partition {oracle.Partition} refuses sequence {batch.Sequence} of producer {_id}: {(ErrorCode)answer.ErrorCode}");
                break;
            default:
                throw new ViolationException(
                    $"Partition {oracle.Partition}: {(ErrorCode)answer.ErrorCode} for sequence {batch.Sequence} of producer {_id}, all before which was acknowledged");
        }
    }

    private Batch NewBatch()
    {
        var records = Enumerable.Range(0, _random.Next(1, 5)).Select(_ => oracle.NextRecord(_number)).ToArray();
        var sequence = _nextSequence;
        _nextSequence += records.Length;
        var request = ProduceRequests.Of(
            kernel, _random, oracle.Partition, records, new RecordBatchBuilder { ProducerId = _id, ProducerEpoch = _epoch, BaseSequence = sequence });
        return new Batch(records, sequence, request);
    }

    private sealed class Batch(int[] records, int sequence, ProduceRequest request)
    {
        public int[] Records => records;

        public int Sequence => sequence;

        public ProduceRequest Request => request;

        public int Sends { get; set; }

        /// <summary>What stands below was there before it was sent the last time.</summary>
        public long EndWhenSent { get; set; }
    }
}
