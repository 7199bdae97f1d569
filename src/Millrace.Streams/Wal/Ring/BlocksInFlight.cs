using Millrace.Runtime;

namespace Millrace.Streams.Wal.Ring;

/// <summary>Bounds the bytes of blocks that have their place and are not known to be durable (<see cref="RingFormat.BytesInFlight"/>).</summary>
/// <remarks>Threading: taking by the one writer; all else by any thread.</remarks>
internal sealed class BlocksInFlight
{
    private readonly Lock _lock = new();
    private long _bytes;
    private TaskCompletionSource? _landed;
    private bool _hasEnded;

    /// <summary>Waits until a block may be in flight beside those that are, or nothing counts any more.</summary>
    public async ValueTask TakeAsync(long bytes)
    {
        while (true)
        {
            Task landed;
            lock (_lock)
            {
                if (_hasEnded || _bytes == 0 || _bytes + bytes <= RingFormat.BytesInFlight)
                {
                    _bytes += bytes;
                    return;
                }

                landed = (_landed ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await landed;
        }
    }

    /// <summary>A block is durable, or never will be.</summary>
    public void Land(long bytes)
    {
        TaskCompletionSource? landed;
        lock (_lock)
        {
            _bytes -= bytes;
            (landed, _landed) = (_landed, null);
        }

        landed?.SetResult();
    }

    /// <summary>Nothing counts any more: whoever waits goes on.</summary>
    public void End()
    {
        TaskCompletionSource? landed;
        lock (_lock)
        {
            _hasEnded = true;
            (landed, _landed) = (_landed, null);
        }

        landed?.SetResult();
    }
}
