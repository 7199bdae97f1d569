using System.Runtime.CompilerServices;

namespace Millrace.Broker.Partitions.Producers;

/// <summary>One producer as a partition knows it: its epoch and its last batches, at most five, of that epoch.</summary>
/// <remarks>
/// Five, because a client keeps no more requests than that in flight when it is idempotent.
/// One without batches is awaited: its first batch was left out though nothing is wrong with it (its time was up, or memory was short),
/// or is being appended now. Any sequence may be a producer's first; so the batches behind, which clients send without waiting for
/// it, would take its place, and it would be refused for good when it comes again. It keeps its place until it is appended, or the
/// producer goes on with a newer epoch, or is forgotten as all that are idle.
/// </remarks>
internal sealed class ProducerEntry
{
    public const int RememberedBatches = 5;

    private Ring _batches;
    private int _first;
    private int _awaited;

    public short Epoch { get; private set; } = -1;

    /// <summary>When it last appended, or wanted to, by this broker's clock in milliseconds since the Unix epoch: what expiry goes by.</summary>
    public long LastSeen { get; private set; }

    /// <summary>How many batches are remembered; 0 while the first one is awaited.</summary>
    public int Count { get; private set; }

    /// <summary>The remembered batches, oldest first.</summary>
    public ProducerBatch this[int index] => _batches[(_first + index) % RememberedBatches];

    public ProducerVerdict Check(short epoch, int firstSequence, int lastOffsetDelta, out ProducerBatch original)
    {
        original = default;
        if (epoch < Epoch)
        {
            return ProducerVerdict.StaleEpoch;
        }

        if (Count == 0)
        {
            return epoch == Epoch && ProducerSequence.IsBehind(firstSequence, _awaited) ? ProducerVerdict.OutOfOrder : ProducerVerdict.Unknown;
        }

        if (epoch > Epoch)
        {
            // A new epoch begins a new count.
            return firstSequence == 0 ? ProducerVerdict.Next : ProducerVerdict.OutOfOrder;
        }

        for (var i = 0; i < Count; i++)
        {
            var batch = this[i];
            if (batch.FirstSequence == firstSequence && batch.LastOffsetDelta == lastOffsetDelta)
            {
                original = batch;
                return ProducerVerdict.Duplicate;
            }
        }

        return firstSequence == ProducerSequence.Next(this[Count - 1].LastSequence)
            ? ProducerVerdict.Next
            : ProducerVerdict.OutOfOrder;
    }

    /// <summary>
    /// Keeps a batch's place, where nothing else does: behind batches that are known a gap is seen, and a new epoch of theirs begins at 0.
    /// Of several the first counts.
    /// </summary>
    public void Await(short epoch, int firstSequence, long now)
    {
        if (Count == 0 && (epoch > Epoch || (epoch == Epoch && ProducerSequence.IsBehind(_awaited, firstSequence))))
        {
            (Epoch, _awaited) = (epoch, firstSequence);
        }

        See(now);
    }

    /// <summary>The same for what another entry awaits.</summary>
    public void Await(ProducerEntry other) => Await(other.Epoch, other._awaited, other.LastSeen);

    /// <summary>Takes in a batch that was appended. Does not fail.</summary>
    public void Append(short epoch, in ProducerBatch batch, long now)
    {
        if (epoch != Epoch)
        {
            Epoch = epoch;
            Count = 0;
        }

        if (Count == RememberedBatches)
        {
            _batches[_first] = batch;
            _first = (_first + 1) % RememberedBatches;
        }
        else
        {
            _batches[(_first + Count++) % RememberedBatches] = batch;
        }

        See(now);
    }

    // A clock that was set back must not make a producer expire earlier.
    private void See(long now) => LastSeen = Math.Max(LastSeen, now);

    [InlineArray(RememberedBatches)]
    private struct Ring
    {
        private ProducerBatch _element;
    }
}
