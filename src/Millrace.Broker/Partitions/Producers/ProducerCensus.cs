using System.Threading.Channels;

namespace Millrace.Broker.Partitions.Producers;

/// <summary>
/// How many idempotent producers the partitions of this node remember, together: each partition bounds its own, but clients that make up
/// ids can write to many. Whoever waits here forgets the longest idle of all once they are too many.
/// </summary>
/// <remarks>Threading: any thread; one caller at a time waits.</remarks>
/// <param name="limit">How many there may be.</param>
internal sealed class ProducerCensus(int limit)
{
    private readonly Channel<bool> _exceeded = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private int _count;

    public int Limit => limit;

    public int Count => Volatile.Read(ref _count);

    /// <summary>A partition remembers so many more, or fewer if negative.</summary>
    public void Change(int producers)
    {
        if (Interlocked.Add(ref _count, producers) > limit && producers > 0)
        {
            _exceeded.Writer.TryWrite(true);
        }
    }

    /// <summary>Completes when there have come to be more than there may be, since it last did.</summary>
    public async ValueTask ExceededAsync(CancellationToken token)
    {
        // Not ReadAsync: it continues on the thread pool, where the simulator cannot follow.
        while (!_exceeded.Reader.TryRead(out _))
        {
            await _exceeded.Reader.WaitToReadAsync(token);
        }
    }
}
