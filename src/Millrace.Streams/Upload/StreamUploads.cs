using Millrace.Streams.Cache;
using Millrace.Streams.Registry;
using Millrace.Streams.State;

namespace Millrace.Streams.Upload;

/// <summary>A stream's uploads: what is taken from it, what the registry has committed, and who waits for that.</summary>
/// <remarks>Threading: any thread, but for what belongs to the uploader's loop.</remarks>
internal sealed class StreamUploads
{
    private readonly UploadContext _context;
    private UploadUnderWay? _last;

    public StreamUploads(StreamCore core, UploadContext context)
    {
        (Core, _context) = (core, context);
        Capture = new StateCapture(core, context);
    }

    public StreamCore Core { get; }

    /// <summary>Of the uploader's loop.</summary>
    public StateCapture Capture { get; }

    /// <summary>
    /// The upload under way that took the records before those which are not cut yet: they are committed after it. Of the uploader's loop.
    /// </summary>
    public UploadUnderWay? Before => _last is { HasEnded: false } last ? last : null;

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

    /// <summary>The registry has committed a range, from an offset on.</summary>
    public void OnCommitted(ObjectRange range, long startOffset)
    {
        long bytes;
        lock (Core.Lock)
        {
            if (Core.Life.HasEnded || (range.EndOffset <= Core.Offsets.Uploaded && range.EndOffset > startOffset))
            {
                // The stream ended, or has heard of it in another way.
                return;
            }

            Core.Ranges.Add(range with { StartOffset = startOffset });
            if (range.HasCheckpoint)
            {
                Core.Checkpoints.OnCommitted(range.EndOffset);
            }

            bytes = Advance_NeedsLock(range.EndOffset);
        }

        _context.Tail.Add(Core, range.EndOffset, bytes);
    }

    /// <summary>The registry has committed everything below an offset, in objects that this node did not expect: here are all of them.</summary>
    public void OnCommitted(IReadOnlyList<ObjectRange> ranges, long endOffset)
    {
        long bytes;
        bool isCheckpointWanted;
        lock (Core.Lock)
        {
            if (Core.Life.HasEnded)
            {
                return;
            }

            Core.Ranges.Replace([.. ranges.Where(range => range.EndOffset <= endOffset)]);
            isCheckpointWanted = Core.Checkpoints.WantAgain();
            bytes = Advance_NeedsLock(endOffset);
        }

        _context.Tail.Add(Core, endOffset, bytes);
        if (isCheckpointWanted)
        {
            _context.Planner.Ask(this);
        }
    }

    private Task WaitAsync(long offset, bool forCheckpoint)
    {
        Task committed;
        lock (Core.Lock)
        {
            if (forCheckpoint ? Core.Checkpoints.Covers(offset) : Core.Offsets.Uploaded >= offset)
            {
                return Task.CompletedTask;
            }

            Core.Life.ThrowIfEnded();
            committed = forCheckpoint ? Core.Checkpoints.Want(offset) : Core.Uploaded.Add(offset);
        }

        _context.Planner.Ask(this);
        return committed;
    }

    /// <summary>Returns the bytes, payload and what records cost beside, that this made evictable.</summary>
    private long Advance_NeedsLock(long endOffset)
    {
        var bytes = 0L;
        for (var at = Core.Cache.Seek(Core.Offsets.Uploaded); at.IsAtRecord && at.Record.EndOffset <= endOffset; at.MoveNext())
        {
            bytes += at.Record.Payload.Length + RecordCost.Cached;
        }

        Core.Offsets.Commit(endOffset);
        Core.Uploaded.Advance(endOffset);
        return bytes;
    }
}
