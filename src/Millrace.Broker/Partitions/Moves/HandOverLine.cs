using System.Threading.Channels;

namespace Millrace.Broker.Partitions.Moves;

/// <summary>Partitions that are ready to be handed over, in the order in which they became so, and how fast they go.</summary>
/// <remarks>Threading: any thread adds; one loop waits, takes and keeps the pace.</remarks>
internal sealed class HandOverLine(HandOverPace pace)
{
    private readonly Channel<Partition> _ready = Channel.CreateUnbounded<Partition>();

    public HandOverPace Pace => pace;

    public void Add(Partition partition) => _ready.Writer.TryWrite(partition);

    /// <summary>Ends when there is one to take.</summary>
    public async Task WaitAsync(CancellationToken token) => await _ready.Reader.WaitToReadAsync(token);

    /// <summary>As many as may stop together, and hold no more than may be uploaded in a second; at least one if there is one that counts.</summary>
    /// <param name="isToGo">Says of each, once, whether it is still to go. One that is not counts for nothing.</param>
    public List<Partition> Take(Func<Partition, bool> isToGo)
    {
        var group = new List<Partition>();
        var bytes = 0L;
        var limits = pace.Limits;
        while (group.Count < limits.Partitions && bytes < limits.BytesPerSecond && _ready.Reader.TryRead(out var partition))
        {
            if (isToGo(partition))
            {
                group.Add(partition);
                bytes += partition.UncommittedBytes;
            }
        }

        return group;
    }
}
