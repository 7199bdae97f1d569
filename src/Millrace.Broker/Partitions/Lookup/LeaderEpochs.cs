using Millrace.Streams;

namespace Millrace.Broker.Partitions.Lookup;

/// <summary>Answers where a leader epoch ended, from the epochs that a stream was opened at.</summary>
internal static class LeaderEpochs
{
    /// <summary>Kafka's "no epoch".</summary>
    public const int None = -1;

    /// <summary>
    /// The newest epoch not above <paramref name="requested"/> that has records, and where it ended. Epochs that appended nothing
    /// are passed over, as they are in Kafka's own cache.
    /// </summary>
    /// <param name="epochs">In order; the current one is last.</param>
    /// <param name="logStart">Records below are gone; an epoch that ended there is forgotten.</param>
    /// <param name="logEnd">The end of what is durable: where the current epoch ends for the time being.</param>
    /// <returns>(-1, -1) above the current epoch; (requested, first start) below the oldest one.</returns>
    public static (int Epoch, long EndOffset) EndOf(IReadOnlyList<EpochStart> epochs, long logStart, long logEnd, int requested)
    {
        var current = (int)epochs[^1].Epoch.Value;
        if (requested == current)
        {
            return (requested, logEnd);
        }

        if (requested < 0 || requested > current)
        {
            return (None, -1);
        }

        // From the newest to the oldest: `end` is where the epoch under consideration ends.
        var end = Math.Max(epochs[^1].StartOffset, logStart);
        for (var i = epochs.Count - 2; i >= 0 && end > logStart; i--)
        {
            var start = Math.Max(epochs[i].StartOffset, logStart);
            if (start >= end)
            {
                continue;
            }

            if (epochs[i].Epoch.Value <= requested)
            {
                return ((int)epochs[i].Epoch.Value, end);
            }

            end = start;
        }

        return (requested, end);
    }

    /// <summary>The epoch that <paramref name="offset"/> lies in; -1 if that is not known any more.</summary>
    public static int Of(IReadOnlyList<EpochStart> epochs, long offset)
    {
        for (var i = epochs.Count - 1; i >= 0; i--)
        {
            if (epochs[i].StartOffset <= offset)
            {
                return (int)epochs[i].Epoch.Value;
            }
        }

        return None;
    }
}
