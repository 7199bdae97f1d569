using Millrace.Runtime;
using Millrace.Streams.State;
using Millrace.Streams.Upload;

namespace Millrace.Streams.Store;

/// <summary>Where a stream can be trimmed, its trims, and its closing: both wait for uploads, and are the registry's to agree to.</summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="core">The stream.</param>
/// <param name="uploads">Its uploads.</param>
/// <param name="context">The registry, and the budget of what is let go.</param>
internal sealed class StreamEnds(StreamCore core, StreamUploads uploads, StreamContext context)
{
    /// <inheritdoc cref="IStream.Extents"/>
    public IReadOnlyList<StreamExtent> Extents
    {
        get
        {
            lock (core.Lock)
            {
                var extents = new List<StreamExtent>(core.Ranges.Count + 1);
                for (var i = 0; i < core.Ranges.Count; i++)
                {
                    var range = core.Ranges[i];
                    extents.Add(new(range.StartOffset, range.EndOffset, range.Bytes, range.MaxTimestamp));
                }

                if (core.Offsets.Confirmed > core.Offsets.Uploaded)
                {
                    extents.Add(ConfirmedTail_NeedsLock());
                }

                return extents;
            }
        }
    }

    /// <inheritdoc cref="IStream.TrimAsync"/>
    public async ValueTask TrimAsync(long startOffset, CancellationToken token)
    {
        lock (core.Lock)
        {
            core.Life.ThrowIfEnded();
            if (startOffset > core.Offsets.Confirmed)
            {
                throw new StreamException(
                    StreamError.OffsetOutOfRange, $"Stream {core.Id} ends at {core.Offsets.Confirmed} and cannot be trimmed at {startOffset}");
            }

            if (startOffset <= core.Offsets.Start)
            {
                return;
            }
        }

        // The registry trims what it knows of, and the owner's state must not go with the records that it would be replayed from.
        await uploads.WhenCommittedAsync(startOffset).OrCancelled(token);
        await uploads.WhenCheckpointedAsync(startOffset).OrCancelled(token);
        await context.Components.Registry.TrimAsync(context.Components.Node, core.Id, core.Epoch, startOffset, token);
        long released;
        lock (core.Lock)
        {
            core.Offsets.Trim(startOffset);
            core.Ranges.Trim(core.Offsets.Start);
            released = core.Cache.Evict(core.Offsets.Start);
        }

        context.Appends.Budget.Release(released);
    }

    /// <summary>See <see cref="IStream.CloseAsync"/> and <see cref="IStream.HandOverAsync"/>.</summary>
    public async ValueTask CloseAsync(bool handsOver, CancellationToken token)
    {
        Task confirmed;
        long end;
        lock (core.Lock)
        {
            if (core.Life.Phase == StreamPhase.Closed)
            {
                return;
            }

            core.Life.BeginClosing(handsOver);
            end = core.Offsets.Next;

            // What has its place in the WAL is written there while it is uploaded. What waits for space is not: its upload would have to go in parts, one of
            // what is durable first.
            confirmed = core.GoesBeside_NeedsLock(end) ? Task.CompletedTask : core.WhenConfirmed_NeedsLock(end);
        }

        await confirmed.OrCancelled(token);
        try
        {
            await uploads.WhenCommittedAsync(end).OrCancelled(token);

            // Also where nothing was written that it could have gone along with: whoever opens the stream next replays nothing.
            await uploads.WhenCheckpointedAsync(end).OrCancelled(token);
            if (core.AskToClose(end) is { } close)
            {
                // No upload was needed, or it came to less.
                await context.Registry.CloseAsync(close, token);
            }
        }
        catch (StreamException) when (core.IsClosed)
        {
            // Somebody else who closed it at the same time was faster.
            return;
        }
        catch (StreamException refused)
        {
            // It will not be closed by this node any more; a later epoch may still be opened here.
            core.Lose(refused);
            throw;
        }

        core.Close();
    }

    private StreamExtent ConfirmedTail_NeedsLock()
    {
        var (bytes, maxTimestamp) = (0L, long.MinValue);
        for (var at = core.Cache.Seek(core.Offsets.Uploaded); at.IsAtRecord && at.Record.EndOffset <= core.Offsets.Confirmed; at.MoveNext())
        {
            bytes += at.Record.Payload.Length;
            maxTimestamp = Math.Max(maxTimestamp, at.Record.MaxTimestamp);
        }

        return new(core.Offsets.Uploaded, core.Offsets.Confirmed, bytes, maxTimestamp);
    }
}
