using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>Who knows which objects are to be merged, and decides what comes of it: the controller, as object compaction sees it.</summary>
/// <remarks>
/// Each call names an incarnation, and is refused with <see cref="StreamError.Fenced"/> once that is fenced. Any may end with
/// <see cref="StreamError.ControllerLost"/> or <see cref="StreamError.StorageUnavailable"/>, and can be repeated.
/// </remarks>
public interface ICompactionRegistry
{
    /// <summary>What the node may merge now: nobody else gets these objects until it asks again, ends, or takes too long. Empty if there is nothing.</summary>
    ValueTask<IReadOnlyList<CompactionSource>> TakeAsync(CancellationToken token);

    /// <summary>What lies in some objects of some streams: one for each stream, in their order.</summary>
    ValueTask<IReadOnlyList<StreamHolding>> GetHoldingsAsync(
        IReadOnlyCollection<ObjectId> objects, IReadOnlyList<StreamId> streams, CancellationToken token);

    /// <summary>
    /// Puts the ranges of an object in the place of those that they were made of, in one log entry. Each range is judged by itself: what was trimmed is left
    /// out, and what was deleted, or does not lie where it lay, is void.
    /// </summary>
    /// <returns>How many ranges it took the place of; none where the commit was done before.</returns>
    /// <exception cref="StreamException">Fenced; PrepareExpired: nothing of it counts; Incomplete: a source is gone, so nothing of it counts.</exception>
    /// <exception cref="ArgumentException">The digests contradict what the registry knows.</exception>
    ValueTask<int> CommitAsync(CompactionCommit commit, CancellationToken token);
}
