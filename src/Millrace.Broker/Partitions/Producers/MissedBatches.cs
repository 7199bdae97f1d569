namespace Millrace.Broker.Partitions.Producers;

/// <summary>
/// The first batches of new producers that were refused because their time was up. Of a producer that is known, the sequence
/// check refuses whatever comes behind a batch that is missing; of one that is not, any sequence is taken for its first. So
/// the batches behind the missing one, which clients send without waiting for it, would take its place, and it would be refused
/// for good when it comes again.
/// </summary>
/// <remarks>Threading: the partition's append lock guards it. Not durable: after a restart clients begin with what is missing.</remarks>
internal sealed class MissedBatches
{
    /// <summary>Clients that never come again must not fill the memory: when there are as many, all are forgotten.</summary>
    public const int MaxProducers = 1_000;

    private readonly Dictionary<(long ProducerId, short Epoch), int> _sequences = [];

    /// <summary>A batch was refused, with nothing wrong with it. The first one of a producer counts: what comes behind it is missing too.</summary>
    public void Add(long producerId, short epoch, int firstSequence)
    {
        if (_sequences.Count == MaxProducers)
        {
            _sequences.Clear();
        }

        _sequences.TryAdd((producerId, epoch), firstSequence);
    }

    /// <summary>Whether a batch of a producer that the partition does not know may be its first; the caller appends it then.</summary>
    public bool TryBegin(long producerId, short epoch, int firstSequence)
    {
        if (_sequences.Count == 0 || !_sequences.TryGetValue((producerId, epoch), out var missed))
        {
            return true;
        }

        // Numbers wrap: what is less than half of them ahead comes behind the missed one.
        var ahead = (firstSequence - missed) & int.MaxValue;
        return (ahead is 0 or > int.MaxValue / 2) && _sequences.Remove((producerId, epoch));
    }
}
