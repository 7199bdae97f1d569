namespace Millrace.Broker.Partitions.Producers;

/// <summary>What is remembered of a batch, so that its retry gets the answer the batch itself got.</summary>
/// <param name="FirstSequence">The sequence number of its first record.</param>
/// <param name="LastOffsetDelta">Its last offset less its base offset; as many sequence numbers lie between the ends.</param>
/// <param name="BaseOffset">Where it was appended.</param>
/// <param name="Timestamp">Its largest timestamp, milliseconds since the Unix epoch; the append time where that is what the topic keeps.</param>
internal readonly record struct ProducerBatch(int FirstSequence, int LastOffsetDelta, long BaseOffset, long Timestamp)
{
    public int LastSequence => ProducerSequence.Advance(FirstSequence, LastOffsetDelta);

    public long LastOffset => BaseOffset + LastOffsetDelta;
}
