using System.Runtime.CompilerServices;

namespace Millrace.Broker.Partitions.Producers;

/// <summary>One producer as a partition knows it: its epoch and its last batches, at most five, of that epoch.</summary>
/// <remarks>
/// Five, because a client keeps no more requests than that in flight when it is idempotent.
/// One without batches has its first one appended now, or that has failed: nothing is known of it.
/// </remarks>
internal sealed class ProducerEntry
{
    public const int RememberedBatches = 5;

    private Ring _batches;
    private int _first;

    public short Epoch { get; private set; } = -1;

    /// <summary>When it last appended, by this broker's clock in milliseconds since the Unix epoch: what expiry goes by.</summary>
    public long LastSeen { get; private set; }

    /// <summary>How many batches are remembered.</summary>
    public int Count { get; private set; }

    /// <summary>The remembered batches, oldest first.</summary>
    public ProducerBatch this[int index] => _batches[(_first + index) % RememberedBatches];

    public ProducerVerdict Check(short epoch, int firstSequence, int lastOffsetDelta, out ProducerBatch original)
    {
        original = default;
        if (Count == 0)
        {
            return ProducerVerdict.Unknown;
        }

        if (epoch < Epoch)
        {
            return ProducerVerdict.StaleEpoch;
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

        // A clock that was set back must not make a producer expire earlier.
        LastSeen = Math.Max(LastSeen, now);
    }

    [InlineArray(RememberedBatches)]
    private struct Ring
    {
        private ProducerBatch _element;
    }
}
