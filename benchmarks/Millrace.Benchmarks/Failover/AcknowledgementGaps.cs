using System.Diagnostics;

namespace Millrace.Benchmarks.Failover;

/// <summary>How long each partition has acknowledged nothing, at the longest: meant for a load that always has something under way to each.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class AcknowledgementGaps
{
    private readonly Lock _lock = new();
    private readonly long[] _last;
    private readonly long[] _longest;

    public AcknowledgementGaps(int partitions)
    {
        (_last, _longest) = (new long[partitions], new long[partitions]);
        _last.AsSpan().Fill(Stopwatch.GetTimestamp());
    }

    public void Acknowledge(int partition) => Acknowledge(partition, Stopwatch.GetTimestamp());

    /// <param name="partition">Which.</param>
    /// <param name="at">When, by <see cref="Stopwatch"/>; may be heard of later.</param>
    public void Acknowledge(int partition, long at)
    {
        lock (_lock)
        {
            Note(partition, at);
        }
    }

    /// <summary>The longest time of each partition between two acknowledgements, or since the last, since this was called before.</summary>
    public TimeSpan[] Take()
    {
        lock (_lock)
        {
            var now = Stopwatch.GetTimestamp();
            var taken = new TimeSpan[_last.Length];
            for (var partition = 0; partition < taken.Length; partition++)
            {
                Note(partition, now);
                taken[partition] = Stopwatch.GetElapsedTime(0, _longest[partition]);
                _longest[partition] = 0;
            }

            return taken;
        }
    }

    private void Note(int partition, long now)
    {
        _longest[partition] = Math.Max(_longest[partition], now - _last[partition]);
        _last[partition] = Math.Max(_last[partition], now);
    }
}
