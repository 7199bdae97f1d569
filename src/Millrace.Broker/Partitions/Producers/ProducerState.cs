using System.Diagnostics.CodeAnalysis;

namespace Millrace.Broker.Partitions.Producers;

/// <summary>
/// The idempotent producers of one partition, as of a point in append order. Pure: what it holds follows from the batches
/// it was shown and the times it was told.
/// </summary>
/// <remarks>
/// Threading: the partition's append lock guards it. A batch is checked, its producer is given all the room there is to take, it is appended to
/// the stream, and only then shown to its producer: a failed append leaves no trace.
/// </remarks>
internal sealed class ProducerState
{
    /// <summary>
    /// The most producers that are remembered, so that clients that make up ids cannot fill the memory: about ten megabytes. Beyond
    /// it the longest idle are forgotten early, as they would be in time.
    /// </summary>
    public const int MaxProducers = 50_000;

    private readonly Dictionary<long, ProducerEntry> _producers = [];

    /// <summary>How many are remembered, those included whose first append has failed.</summary>
    public int Count => _producers.Count;

    /// <summary>What becomes of a batch of an idempotent producer.</summary>
    /// <param name="producerId">Not negative.</param>
    /// <param name="epoch">Not negative.</param>
    /// <param name="firstSequence">Not negative.</param>
    /// <param name="lastOffsetDelta">The batch's last offset less its base offset.</param>
    /// <param name="original">The batch that this is a retry of, if the verdict is Duplicate; it need not be durable yet.</param>
    public ProducerVerdict Check(long producerId, short epoch, int firstSequence, int lastOffsetDelta, out ProducerBatch original)
    {
        if (_producers.TryGetValue(producerId, out var producer))
        {
            return producer.Check(epoch, firstSequence, lastOffsetDelta, out original);
        }

        original = default;
        return ProducerVerdict.Unknown;
    }

    /// <summary>The producer that takes in a batch once it is appended, with all the room for that.</summary>
    public ProducerEntry Reserve(long producerId)
    {
        if (!_producers.TryGetValue(producerId, out var producer))
        {
            if (_producers.Count == MaxProducers)
            {
                ForgetIdlest();
            }

            producer = new ProducerEntry();
            _producers.Add(producerId, producer);
        }

        return producer;
    }

    /// <summary>Takes in a batch that is replayed; in append order.</summary>
    /// <param name="producerId">Whose.</param>
    /// <param name="epoch">Its epoch.</param>
    /// <param name="batch">The batch.</param>
    /// <param name="now">Milliseconds since the Unix epoch, by this broker's clock: the time of the replay, which errs on remembering for longer.</param>
    public void Append(long producerId, short epoch, in ProducerBatch batch, long now) => Reserve(producerId).Append(epoch, batch, now);

    /// <summary>Forgets producers that have not appended for <paramref name="idleMs"/>.</summary>
    public int Expire(long now, long idleMs)
    {
        var before = _producers.Count;
        foreach (var (id, producer) in _producers)
        {
            if (now - producer.LastSeen >= idleMs)
            {
                _producers.Remove(id);
            }
        }

        return before - _producers.Count;
    }

    public bool TryGet(long producerId, [MaybeNullWhen(false)] out ProducerEntry producer) => _producers.TryGetValue(producerId, out producer);

    /// <summary>Adds when each producer was last seen.</summary>
    public void CollectLastSeen(List<long> seen)
    {
        foreach (var producer in _producers.Values)
        {
            seen.Add(producer.LastSeen);
        }
    }

    /// <summary>Forgets producers that were last seen at a time or before, and no more than so many.</summary>
    /// <returns>How many.</returns>
    public int Forget(long lastSeen, int atMost)
    {
        var before = _producers.Count;
        foreach (var (id, producer) in _producers)
        {
            if (before - _producers.Count < atMost && producer.LastSeen <= lastSeen)
            {
                _producers.Remove(id);
            }
        }

        return before - _producers.Count;
    }

    /// <summary>The ids of producers that have appended, in ascending order, so that equal states have equal checkpoints.</summary>
    public long[] Ids()
    {
        var ids = _producers.Where(entry => entry.Value.Count > 0).Select(entry => entry.Key).ToArray();
        Array.Sort(ids);
        return ids;
    }

    // A tenth at once, so that the sorting is paid for by many new producers.
    private void ForgetIdlest()
    {
        var idlest = _producers.Select(entry => (entry.Value.LastSeen, Id: entry.Key)).ToArray();
        Array.Sort(idlest);
        foreach (var (_, id) in idlest.AsSpan(0, MaxProducers / 10))
        {
            _producers.Remove(id);
        }
    }
}
