using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Open;

/// <summary>
/// Opens a stream, in this order: what a former attempt left open is closed, the registry opens the epoch, unless whoever handed the stream over had that
/// done, and tells the committed ranges, and the newest checkpoint is read. What lies behind the checkpoint its owner replays, by reading.
/// </summary>
/// <remarks>
/// Thousands may open at once: the registry takes them together, and checkpoints that lie in one object share reads. Threading: any thread. Nothing is
/// served before all of it is there; what fails half way is in <see cref="UnservedOpenings"/>.
/// </remarks>
/// <param name="node">Who opens.</param>
/// <param name="registry">Decides who may.</param>
/// <param name="unserved">Remembers what was opened and does not serve yet.</param>
/// <param name="indexes">Say where in its object a checkpoint lies.</param>
/// <param name="objects">Reads it.</param>
internal sealed class StreamOpener(
    NodeIncarnation node, IStreamRegistry registry, UnservedOpenings unserved, ObjectIndexCache indexes, DataObjectReader objects)
{
    // A checkpoint takes a few hundred bytes as a rule, and seven megabytes at most.
    private const int CheckpointsAtOnce = 1_024;

    private readonly AsyncGate _checkpoints = new(CheckpointsAtOnce);

    /// <exception cref="StreamException">Fenced, Unknown, Incomplete, StorageUnavailable, ControllerLost, Corrupt.</exception>
    public async ValueTask<OpenedStream> OpenAsync(StreamId id, StreamEpoch epoch, CancellationToken token)
    {
        try
        {
            await unserved.CloseAsync(id, below: epoch, token);
            unserved.Add(id, epoch);

            // A question is answered at once, and an opening only when it is in the log: so the question comes first.
            var opening = await registry.FindOpeningAsync(node, id, epoch, token) ?? await registry.OpenAsync(node, id, epoch, token);
            var checkpoint = opening.CheckpointRange is { } range ? await ReadCheckpointAsync(range, token) : (StreamCheckpoint?)null;
            if (opening.CheckpointRange is { } gone && checkpoint is null)
            {
                // Its object was merged with others since; or it is lost. This is asked of a controller that makes sure that it still is one.
                opening = await registry.OpenAsync(node, id, epoch, token);
                checkpoint = opening.CheckpointRange is { } moved ? await ReadCheckpointAsync(moved, token) : null;
                _ = checkpoint ?? throw DataObjectReader.Corrupt(gone.Object, $"the store has no such object, and the checkpoint of stream {id} lies there");
            }

            var ranges = await RangePages.LoadAsync(registry, id, opening, token);
            if (opening.EndOffset > opening.StartOffset && (ranges.Count == 0 || ranges[^1].EndOffset != opening.EndOffset))
            {
                throw new StreamException(StreamError.Corrupt, $"The registry's ranges of stream {id} do not end at its end, {opening.EndOffset}");
            }

            return new OpenedStream(opening, ranges, checkpoint);
        }
        catch (ObjectStorageException failure)
        {
            throw new StreamException(StreamError.StorageUnavailable, failure.Message, failure);
        }
    }

    /// <returns>Null if the object is gone.</returns>
    private async ValueTask<StreamCheckpoint?> ReadCheckpointAsync(ObjectRange range, CancellationToken token)
    {
        await _checkpoints.EnterAsync(token);
        try
        {
            return await FindCheckpointAsync(range, token);
        }
        finally
        {
            _checkpoints.Exit();
        }
    }

    private async ValueTask<StreamCheckpoint?> FindCheckpointAsync(ObjectRange range, CancellationToken token)
    {
        if (await indexes.GetAsync(range.Object, range.ObjectSize, token) is not { } index)
        {
            return null;
        }

        var found = index.FindRange(range.Stream, range.StartOffset, range.EndOffset);
        if (found >= 0 && index.Ranges[found] is { Checkpoint.Length: > 0 } entry && entry.EndOffset == range.EndOffset)
        {
            return await objects.ReadAttachmentAsync(range.Object, entry.Checkpoint, token) is { } state ? new StreamCheckpoint(entry.EndOffset, state) : null;
        }

        throw DataObjectReader.Corrupt(range.Object, $"it lacks the checkpoint of stream {range.Stream} at {range.EndOffset}");
    }
}
