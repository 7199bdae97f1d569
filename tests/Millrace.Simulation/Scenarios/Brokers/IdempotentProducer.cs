using Millrace.Protocol;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// An idempotent producer of one partition: up to five batches under way at a time, each sent again under its sequence number
/// until it is acknowledged. Now and then it dies and begins anew under another id, or is silent until the broker has forgotten it.
/// </summary>
/// <param name="kernel">Its world.</param>
/// <param name="lane">Where it runs.</param>
/// <param name="client">Its connection.</param>
/// <param name="oracle">Its partition.</param>
/// <param name="expiration">After how long a silence the broker forgets a producer.</param>
internal sealed class IdempotentProducer(SimulationKernel kernel, Lane lane, SimulatedClient client, PartitionOracle oracle, TimeSpan expiration)
{
    /// <summary>Of a producer that is as quick to be forgotten, nothing that it sent may be under way by then: see <see cref="OffsetOracle"/>.</summary>
    public static readonly TimeSpan ShortExpiration = TimeSpan.FromSeconds(150);

    private const int MostUnderWay = 5;

    /// <summary>How often it falls silent until it is forgotten.</summary>
    private const double Silences = 0.06;

    /// <summary>Clients give a batch up after some time, so that its retry cannot come when it is forgotten that it arrived.</summary>
    private static readonly TimeSpan DeliveryTimeout = TimeSpan.FromSeconds(40);
    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());
    private readonly SpokenVersions _versions = new(kernel.Random);
    private readonly List<Batch> _unsettled = [];
    private long _id = -1;
    private short _epoch;
    private int _number;
    private int _nextSequence;
    private bool _isSilent;

    private bool IsForgottenSoon => expiration <= ShortExpiration;

    public async Task RunAsync(Func<bool> isOver)
    {
        while (!isOver() || _isSilent)
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

            if (_random.Chance(0.02) || IsForgottenSoon && _unsettled.Exists(batch => kernel.Now - batch.MadeAt > DeliveryTimeout))
            {
                // Whether what is under way has arrived is never asked; the next one knows nothing of it.
                kernel.Coverage.Count("idempotent: producers that died");
                client.Disconnect();
                (_id, _isSilent) = (-1, false);
            }

            if (IsForgottenSoon && !_isSilent && _id >= 0 && _unsettled.Count == 0 && _nextSequence > 0 && _random.Chance(Silences))
            {
                kernel.Coverage.Count("idempotent: producers that were silent until they were forgotten");
                _isSilent = true;
                await Task.Delay(expiration + BrokerMachine.LongestCheckInterval * 2, lane.Time);
            }

            await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(500)), lane.Time);
        }
    }

    private async Task BeginAsync()
    {
        var answer = await client.CallAsync<InitProducerIdRequest, InitProducerIdResponse>(
            new InitProducerIdRequest { TransactionalId = null, TransactionTimeoutMs = 60_000 }, _versions.InitProducerId);
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
        var requests = sent
            .Select(batch => ProduceRequests.Of([batch.Sent], _random.Chance(0.8) ? (short)-1 : (short)1, ProduceRequests.Timeout(_random)))
            .ToArray();
        var answers = await client.CallAllAsync<ProduceRequest, ProduceResponse>(requests, _versions.Produce);
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

                if (_isSilent)
                {
                    kernel.Coverage.Count("idempotent: a producer that was forgotten went on");
                    _isSilent = false;
                }

                for (var i = 0; i < batch.Sent.Records.Length; i++)
                {
                    oracle.Acknowledged(answer.BaseOffset + i, batch.Sent.Records[i]);
                }

                _unsettled.Remove(batch);
                break;
            case ErrorCode.OutOfOrderSequenceNumber when _unsettled[0] != batch:
            case var error when BrokerWorld.IsForWantOfMemory(kernel, error):
            case ErrorCode.RequestTimedOut or ErrorCode.NotLeaderOrFollower or ErrorCode.LeaderNotAvailable
                or ErrorCode.KafkaStorageError or ErrorCode.UnknownTopicOrPartition:
                kernel.Coverage.Count($"idempotent: refused, {(ErrorCode)answer.ErrorCode}");
                kernel.Trace.Note($"partition {oracle.Partition} refuses sequence {batch.Sequence} of producer {_id}: {(ErrorCode)answer.ErrorCode}");
                break;
            default:
                throw new ViolationException(
                    $"Partition {oracle.Partition}: {(ErrorCode)answer.ErrorCode} for sequence {batch.Sequence} of producer {_id}, " +
                    "all before which was acknowledged");
        }
    }

    private Batch NewBatch()
    {
        var maker = new BatchMaker(kernel, _random, _versions.Produce >= SpokenVersions.FirstProduceWithZstd);
        var sequence = _nextSequence;
        var sent = maker.MakeIdempotent(oracle, _number, _id, _epoch, sequence);
        _nextSequence += sent.Records.Length;
        return new Batch(sent, sequence, kernel.Now);
    }

    private sealed class Batch(SentBatch sent, int sequence, TimeSpan madeAt)
    {
        public SentBatch Sent => sent;

        public int Sequence => sequence;

        public TimeSpan MadeAt => madeAt;

        public int Sends { get; set; }

        /// <summary>What stands below was there before it was sent the last time.</summary>
        public long EndWhenSent { get; set; }
    }
}
