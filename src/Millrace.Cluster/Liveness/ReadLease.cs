using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Streams.Registry;

namespace Millrace.Cluster.Liveness;

/// <summary>One incarnation's lease: a time before which nobody else acknowledges anything in its place.</summary>
/// <remarks>
/// That time lies ahead while the controller answers heartbeats. Reads that are complete before it may be answered, also when they have waited for it to be
/// moved: what is proven later of an earlier time holds for them, too.
/// </remarks>
internal sealed class ReadLease(TimeProvider time, NodeIncarnation holder) : IReadLease
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _moved;
    private long _until = long.MinValue;

    public NodeIncarnation Holder => holder;

    public bool IsHeld => time.GetTimestamp() < Volatile.Read(ref _until);

    /// <summary>How often it has ended and was needed again.</summary>
    public long Lapses { get; private set; }

    public async ValueTask<bool> WaitAsync(TimeSpan patience, CancellationToken token)
    {
        var complete = time.GetTimestamp();
        using var limit = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, token);
        while (true)
        {
            Task moved;
            lock (_lock)
            {
                if (complete < _until)
                {
                    return true;
                }

                moved = (_moved ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            try
            {
                await moved.OrCancelled(either.Token);
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                return false;
            }
        }
    }

    /// <summary>Nobody else acknowledges anything before a time, as the timestamps of this node count it.</summary>
    public void Extend(long until)
    {
        TaskCompletionSource? moved;
        lock (_lock)
        {
            if (until <= _until)
            {
                return;
            }

            Lapses += _until != long.MinValue && _until < time.GetTimestamp() && until > time.GetTimestamp() ? 1 : 0;
            Volatile.Write(ref _until, until);
            (moved, _moved) = (_moved, null);
        }

        moved?.SetResult();
    }

    /// <summary>From now on nothing is known.</summary>
    public void GiveUp()
    {
        lock (_lock)
        {
            Volatile.Write(ref _until, Math.Min(_until, time.GetTimestamp()));
        }
    }

    /// <summary>The metadata log was read to its end by a look that began at a time: if the holder is live there, it was so then.</summary>
    /// <param name="until">What the look proves, by the rules.</param>
    /// <param name="image">The cluster as the log has it.</param>
    public void Looked(long until, MetadataImage image)
    {
        if (image.Nodes.TryGetValue(holder.Node, out var known) && known.Epoch == holder.Epoch && known.IsLive)
        {
            Extend(until);
        }
    }
}
