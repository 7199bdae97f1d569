using Millrace.Broker.Errors;
using Millrace.Broker.Partitions.Producers;
using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Protocol;
using Millrace.Protocol.Records;

namespace Millrace.Broker.Apis.Data;

/// <summary>
/// What the idempotent producers of one connection are to send again: of each, in each partition, the first batch that was refused with nothing wrong with
/// it. What they have sent behind it, which clients do without waiting for it, is refused as well until it comes again. So what is refused is a suffix, never
/// a gap: the partition may know nothing of the producer, and would take any batch for its first.
/// </summary>
/// <remarks>
/// Of one connection, since whoever connects anew sends in order again from what was not acknowledged. What is refused once it has an offset need not be here:
/// a stream whose append has failed is not led by this incarnation any more, whose connections end with it.
/// Threading: one caller at a time, since the produces of a connection begin one after another.
/// </remarks>
internal sealed class RefusedBatches
{
    /// <summary>
    /// A producer writes to fewer partitions of one broker, as a rule; and with the longest names it is 0.6 MiB a connection. Beyond it everything is refused,
    /// and the connection is to be closed.
    /// </summary>
    public const int Most = 1_000;

    private readonly Dictionary<Producer, FirstRefused> _first = [];
    private PartitionError _all;

    public bool IsFull => _all != PartitionError.None;

    public int Count => _first.Count;

    /// <summary>Those of a connection; null as long as it has none.</summary>
    public static RefusedBatches? Of(ClientConnection connection) => (RefusedBatches?)connection.Kept;

    /// <summary>Takes note of a batch that is refused. Where its client will not send it again, it is none of those.</summary>
    public static void Add(ClientConnection connection, TopicReference topic, ProduceRequest.PartitionProduceData data, PartitionError error)
    {
        // No topic will ever have a name that none may have.
        if (PartitionErrors.Behind(error) is var behind and not PartitionError.None
            && (topic.IsById || TopicName.Check(topic.Name ?? "") is null)
            && TryReadProducer(data, out var batch))
        {
            var refused = Of(connection) ?? new RefusedBatches();
            connection.Kept = refused;
            refused.Add(new Producer(topic, data.Index, batch.ProducerId), new FirstRefused(batch.ProducerEpoch, batch.BaseSequence, behind));
        }
    }

    /// <summary>
    /// What a batch is refused with because of another one before it, unless its partition knows that it is the next: what was refused here may have been taken
    /// by another leader meanwhile, from which the partition has come back. None if there is no such one. One that comes again is forgotten.
    /// </summary>
    public PartitionError Judge(TopicReference topic, ProduceRequest.PartitionProduceData data)
    {
        if (!TryReadProducer(data, out var batch))
        {
            return PartitionError.None;
        }

        if (IsFull)
        {
            return _all;
        }

        var producer = new Producer(topic, data.Index, batch.ProducerId);
        if (!_first.TryGetValue(producer, out var first) || batch.ProducerEpoch < first.Epoch)
        {
            return PartitionError.None;
        }

        if (batch.ProducerEpoch == first.Epoch && ProducerSequence.IsBehind(batch.BaseSequence, first.Sequence))
        {
            return first.Behind;
        }

        if (batch.ProducerEpoch > first.Epoch || batch.BaseSequence == first.Sequence)
        {
            _first.Remove(producer);
        }

        return PartitionError.None;
    }

    private void Add(Producer producer, FirstRefused refused)
    {
        var isKnown = _first.TryGetValue(producer, out var first);
        if (isKnown && (refused.Epoch < first.Epoch || (refused.Epoch == first.Epoch && ProducerSequence.IsBehind(refused.Sequence, first.Sequence))))
        {
            return;
        }

        if (isKnown || _first.Count < Most)
        {
            _first[producer] = refused;
        }
        else
        {
            _all = refused.Behind;
            _first.Clear();
        }
    }

    // Nobody may have checked it: if it is damaged, what is remembered holds up nobody but its sender.
    private static bool TryReadProducer(ProduceRequest.PartitionProduceData data, out RecordBatchHeader batch) =>
        RecordBatchHeader.TryRead(data.Records is { } records ? records.FirstSpan : default, out batch)
            && batch is { Magic: RecordBatchHeader.CurrentMagic, HasProducerId: true, BaseSequence: >= 0 };

    private readonly record struct Producer(TopicReference Topic, int Partition, long Id);

    private readonly record struct FirstRefused(short Epoch, int Sequence, PartitionError Behind);
}
