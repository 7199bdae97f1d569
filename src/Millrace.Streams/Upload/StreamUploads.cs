using Millrace.Streams.Cache;
using Millrace.Streams.Registry;
using Millrace.Streams.State;

namespace Millrace.Streams.Upload;

/// <summary>A stream's uploads: what is taken from it, what the registry has committed, and who waits for that.</summary>
/// <remarks>Threading: any thread, but for what belongs to the uploader's loop.</remarks>
internal sealed class StreamUploads(StreamCore core, UploadContext context)
{
    // To ask for fewer is not worth it; nor, where there are very many that are not merged, for a small part of them.
    private const int ToleratedRanges = 4;
    private const int ToleratedPart = 8;

    private UploadUnderWay? _last;
    private bool _isRefreshing;

    public StreamCore Core => core;

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
    /// The upload under way that took the records before those which are not cut yet: they are committed after it. Of the uploader's loop.
    /// </summary>
    public UploadUnderWay? Before => _last is { Settled.IsCompleted: false } last ? last : null;

    /// <summary>The number of the last upload that took something; 0 if none did. Of the uploader's loop.</summary>
    public long LastNumber => _last?.Number ?? 0;

    /// <summary>An upload has taken what there was, or a part of it. Of the uploader's loop.</summary>
    public void OnTaken(UploadUnderWay upload) => _last = upload;

    /// <summary>Waits until everything below an offset is committed in objects; has an upload begin, of this stream alone, if it is not.</summary>
    /// <exception cref="StreamException">Why the stream ended first.</exception>
    public Task WhenCommittedAsync(long offset) => WaitAsync(offset, forCheckpoint: false);

    /// <summary>
    /// As <see cref="WhenCommittedAsync"/>, for a checkpoint of the owner's state at or above an offset. An owner that keeps none has it as soon as
    /// it is asked.
    /// </summary>
    public Task WhenCheckpointedAsync(long offset) => WaitAsync(offset, forCheckpoint: true);

    /// <inheritdoc cref="IsNeeded"/>
    public bool IsNeeded_NeedsLock() => !core.Life.HasEnded && (core.Offsets.Next > core.Offsets.Cut || core.Checkpoints.IsWanted);

    /// <summary>What the registry made of a range that an upload took: it is committed, or the stream is lost.</summary>
    /// <param name="outcome">Of the range, or of a part of it.</param>
    /// <param name="end">Where the range ends.</param>
    /// <param name="token">Ends the questions that an unexpected verdict asks.</param>
    public async Task SettleAsync(UploadOutcome outcome, long end, CancellationToken token)
    {
        if (outcome.Failure is { } failure)
        {
            core.Lose(new StreamException(
                StreamError.Corrupt,
                $"What stream {core.Id} has from offset {outcome.Range.StartOffset} on cannot be uploaded, and stays in the WAL: {failure.Message}",
                failure));
            return;
        }

        switch (outcome.Verdict.Outcome)
        {
            case RangeOutcome.Accepted:
                context.Indexes.Add(outcome.Index!);
                if (outcome.IsClosed)
                {
                    // Before those hear of it who wait for what is committed, to close it.
                    core.OnRangeClosed();
                }

                OnCommitted(outcome.Range, outcome.Range.StartOffset);
                break;
            case RangeOutcome.Cut or RangeOutcome.Void when outcome.IsClosed:
                // An answer was lost, and what it was of has been moved or trimmed since. It is closed at its end, and nothing is wanted of this owner any
                // more: to ask for a checkpoint again would come to the same again.
                core.OnRangeClosed();
                OnClosed(end);
                break;
            case RangeOutcome.Cut or RangeOutcome.Void:
                await ReconcileAsync(end, token);
                break;
            case RangeOutcome.Gap:
                core.Lose(new StreamException(
                    StreamError.Corrupt,
                    $"The registry misses records of stream {core.Id} before offset {outcome.Range.StartOffset}; what follows stays in the WAL"));
                break;
        }
    }

    /// <summary>The registry has committed a range, from an offset on.</summary>
    public void OnCommitted(ObjectRange range, long startOffset)
    {
        long bytes;
        lock (core.Lock)
        {
            if (core.Life.HasEnded || (range.EndOffset <= core.Offsets.Uploaded && range.EndOffset > startOffset))
            {
                // The stream ended, or has heard of it in another way.
                return;
            }

            core.Ranges.Add(range with { StartOffset = startOffset });
            if (range.HasCheckpoint)
            {
                core.Checkpoints.OnCommitted(range.EndOffset);
            }

            bytes = Advance_NeedsLock(range.EndOffset);
        }

        context.Tail.Add(core.Tail, range.EndOffset, bytes);
    }

    /// <summary>The registry has committed everything below an offset, in objects that this node did not expect: here are all of them.</summary>
    public void OnCommitted(IReadOnlyList<ObjectRange> ranges, long endOffset)
    {
        long bytes;
        bool isCheckpointWanted;
        lock (core.Lock)
        {
            if (core.Life.HasEnded)
            {
                return;
            }

            isCheckpointWanted = core.Checkpoints.WantAgain();
            bytes = Advance_NeedsLock(endOffset);
            core.Refresh_NeedsLock(ranges);
        }

        context.Tail.Add(core.Tail, endOffset, bytes);
        if (isCheckpointWanted)
        {
            context.Planner.Ask(this);
        }
    }

    private void OnClosed(long endOffset)
    {
        long bytes;
        lock (core.Lock)
        {
            if (core.Life.HasEnded)
            {
                return;
            }

            core.Checkpoints.OnCommitted(endOffset);
            bytes = Advance_NeedsLock(endOffset);
        }

        context.Tail.Add(core.Tail, endOffset, bytes);
    }

    /// <summary>Ranges were merged in the registry, and this node still has them as they were.</summary>
    /// <param name="counted">How many the registry has, of those that this node has heard of.</param>
    public bool IsOutdated(int counted)
    {
        lock (core.Lock)
        {
            return !core.Life.HasEnded && core.Ranges.Count - counted > Math.Max(ToleratedRanges, counted / ToleratedPart);
        }
    }

    /// <summary>
    /// Asks where the stream's records lie now, unless that is being asked. That they did is no news to readers, who ask when an object is gone.
    /// </summary>
    /// <param name="expected">About how many ranges there are: what is asked for takes room in the answer, and what was merged is no more.</param>
    /// <param name="token">Ends the wait.</param>
    public async Task RefreshAsync(int expected, CancellationToken token)
    {
        lock (core.Lock)
        {
            if (_isRefreshing)
            {
                return;
            }

            _isRefreshing = true;
        }

        try
        {
            core.Refresh(await context.Registry.LoadRangesAsync(core.Id, core.Offsets.Start, expected, token), core.Offsets.Start);
        }
        finally
        {
            lock (core.Lock)
            {
                _isRefreshing = false;
            }
        }
    }

    /// <summary>The registry did not take a range as it was offered: finds out what it has instead.</summary>
    private async Task ReconcileAsync(long end, CancellationToken token)
    {
        var committed = await context.Registry.GetCommittedEndAsync(core.Id, token);
        if (committed is null)
        {
            core.Lose(new StreamException(StreamError.Unknown, $"Stream {core.Id} has been deleted"));
        }
        else if (committed != end)
        {
            core.Lose(new StreamException(
                StreamError.Fenced, $"Stream {core.Id} ends at {committed} in the registry, and at {end} here: it has another owner"));
        }
        else
        {
            int known;
            lock (core.Lock)
            {
                known = core.Ranges.Count;
            }

            try
            {
                OnCommitted(await context.Registry.LoadRangesAsync(core.Id, core.Offsets.Start, known, token), end);
            }
            catch (StreamException deleted) when (deleted.Error == StreamError.Unknown)
            {
                // Since the question before. It is this stream's end, and not the upload's.
                core.Lose(deleted);
            }
        }
    }

    private Task WaitAsync(long offset, bool forCheckpoint)
    {
        Task committed;
        lock (core.Lock)
        {
            if (forCheckpoint ? core.Checkpoints.Covers(offset) : core.Offsets.Uploaded >= offset)
            {
                return Task.CompletedTask;
            }

            core.Life.ThrowIfEnded();
            committed = forCheckpoint ? core.Checkpoints.Want(offset) : core.Uploaded.Add(offset);
        }

        context.Planner.Ask(this);
        return committed;
    }

    /// <summary>Returns the bytes, payload and what records cost beside, that this made evictable.</summary>
    private long Advance_NeedsLock(long endOffset)
    {
        var (payload, cost) = (0L, 0L);
        for (var at = core.Cache.Seek(core.Offsets.Uploaded); at.IsAtRecord && at.Record.EndOffset <= endOffset; at.MoveNext())
        {
            payload += at.Record.Payload.Length;
            cost += RecordCost.Cached;
        }

        core.Offsets.Commit(endOffset, payload);
        core.Uploaded.Advance(endOffset);
        return payload + cost;
    }
}
