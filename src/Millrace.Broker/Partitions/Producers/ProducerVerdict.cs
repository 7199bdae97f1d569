namespace Millrace.Broker.Partitions.Producers;

/// <summary>What a producer's state says to a batch.</summary>
internal enum ProducerVerdict
{
    /// <summary>The batch is the next one, or the first of a new epoch.</summary>
    Next,

    /// <summary>Nothing is known of the producer: it is new, or was idle for longer than producers are remembered. Any sequence will do.</summary>
    Unknown,

    /// <summary>The batch is one of the last five already appended: it is answered with the original's offset.</summary>
    Duplicate,

    /// <summary>A newer instance of the producer has written.</summary>
    StaleEpoch,

    /// <summary>Batches are missing before this one, or it is a retry of one too old to be remembered.</summary>
    OutOfOrder,
}
