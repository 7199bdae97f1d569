using Millrace.Runtime;
using Millrace.Streams.State;

namespace Millrace.Streams.Upload;

/// <summary>The state of a stream's owner, up to which an upload may go: its newest, once that is durable.</summary>
/// <remarks>
/// In a full WAL the newest records wait for the space that this very upload makes: then what is durable goes by itself, and whoever opens
/// the stream next replays it. So it does when they take too long. Threading: the uploader's loop alone.
/// </remarks>
internal sealed class StateCapture(StreamCore core, UploadContext context)
{
    /// <summary>How often one that waits for records to become durable looks whether these wait for an upload, the WAL being full.</summary>
    public static readonly TimeSpan FullWalPause = TimeSpan.FromMilliseconds(50);

    /// <summary>How long an upload waits for the newest records of a stream to become durable: what is ready does not wait for ever.</summary>
    private static readonly TimeSpan ConfirmPatience = TimeSpan.FromSeconds(1);

    /// <summary>There are records that no upload has taken, or a checkpoint is waited for.</summary>
    public bool IsNeeded
    {
        get
        {
            lock (core.Lock)
            {
                return IsNeeded_NeedsLock();
            }
        }
    }

    /// <summary>
    /// The state as of a point in append order; that point may not be durable, if that has kept others waiting for long enough. Null if there
    /// is nothing to upload, or the stream ended.
    /// </summary>
    public async Task<OwnerState?> TakeAsync(CancellationToken token)
    {
        long since;
        bool withCheckpoint;
        lock (core.Lock)
        {
            if (!IsNeeded_NeedsLock())
            {
                return null;
            }

            since = core.Offsets.Cut;
            withCheckpoint = core.Checkpoints.IsDue || core.Life.Phase == StreamPhase.Closing;
        }

        var state = core.Owner.Capture(since, withCheckpoint);
        Task confirmed;
        lock (core.Lock)
        {
            Invariant.Check(state.Offset >= since && state.Offset <= core.Offsets.Next);
            if (core.Life.HasEnded)
            {
                return null;
            }

            if (withCheckpoint && state.Checkpoint.IsEmpty)
            {
                // An owner that keeps no state has none to lose.
                core.Checkpoints.OnCommitted(state.Offset);
            }

            // Without records it goes for its checkpoint alone.
            if (state.Offset == since && state.Checkpoint.IsEmpty)
            {
                return null;
            }

            confirmed = core.Offsets.Confirmed >= state.Offset ? Task.CompletedTask : core.Confirmed.Add(state.Offset);
        }

        try
        {
            await ConfirmedOrFullAsync(confirmed, token);
            return state;
        }
        catch (StreamException)
        {
            // The stream was lost, as its owner was told; the records stay in the WAL.
            return null;
        }
    }

    private bool IsNeeded_NeedsLock() => !core.Life.HasEnded && (core.Offsets.Next > core.Offsets.Cut || core.Checkpoints.IsWanted);

    private async Task ConfirmedOrFullAsync(Task confirmed, CancellationToken token)
    {
        var started = context.Time.GetTimestamp();
        while (!confirmed.IsCompleted && context.Wal.Fullness < 1 && context.Time.GetElapsedTime(started) < ConfirmPatience)
        {
            using var settled = CancellationTokenSource.CreateLinkedTokenSource(token);
            await Waiting.Either(confirmed, Task.Delay(FullWalPause, context.Time, settled.Token));
            settled.Cancel();
            token.ThrowIfCancellationRequested();
        }

        if (confirmed.IsCompleted)
        {
            await confirmed;
        }
    }
}
