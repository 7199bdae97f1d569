using Millrace.Runtime;
using Millrace.Streams.State;
using Millrace.Streams.Wal;

namespace Millrace.Streams.Upload;

/// <summary>Takes a stream's owner's newest state for an upload, once what it is of is durable, or is to be while the upload is written.</summary>
/// <remarks>
/// In a full WAL the newest records wait for the space that this very upload makes: then what is durable goes by itself, and whoever opens
/// the stream next replays it. So it does when they take too long. A stream that closes waits for nothing: no more can come, so what it has is taken at once
/// and becomes durable while the object is written, if it needs no space that an upload has to make. Threading: the uploader's loop alone.
/// </remarks>
internal sealed class UploadCapture(UploadContext context)
{
    /// <summary>How often one that waits for records to become durable looks whether these wait for an upload, the WAL being full.</summary>
    public static readonly TimeSpan FullWalPause = TimeSpan.FromMilliseconds(50);

    /// <summary>How long an upload waits for the newest records of a stream to become durable: what is ready does not wait for ever.</summary>
    private static readonly TimeSpan ConfirmPatience = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The state as of a point in append order; that point may not be durable, if that has kept others waiting for long enough. Null if there
    /// is nothing to upload, or the stream ended.
    /// </summary>
    public async Task<OwnerState?> CaptureAsync(StreamUploads stream, CancellationToken token)
    {
        var core = stream.Core;
        long since;
        bool withCheckpoint;
        lock (core.Lock)
        {
            if (!stream.IsNeeded_NeedsLock())
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

            confirmed = core.GoesBeside_NeedsLock(state.Offset) ? Task.CompletedTask : core.WhenConfirmed_NeedsLock(state.Offset);
        }

        try
        {
            await ConfirmedOrFullAsync(core.Wal, confirmed, token);
            return state;
        }
        catch (StreamException)
        {
            // The stream was lost, as its owner was told; the records stay in the WAL.
            return null;
        }
    }

    private async Task ConfirmedOrFullAsync(IWriteAheadLog wal, Task confirmed, CancellationToken token)
    {
        var started = context.Time.GetTimestamp();
        while (!confirmed.IsCompleted && wal.Fullness < 1 && context.Time.GetElapsedTime(started) < ConfirmPatience)
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
