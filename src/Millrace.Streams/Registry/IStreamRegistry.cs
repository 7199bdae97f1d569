using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>
/// Who owns which stream, and which objects hold it: stream metadata, as the stream store sees it. The controller
/// keeps it in the metadata log; every answer is committed there.
/// </summary>
/// <remarks>
/// Every call that changes something names the caller's incarnation, and is refused with <see cref="StreamError.Fenced"/> once that is fenced; what is
/// committed is told whoever asks. Any may end with <see cref="StreamError.ControllerLost"/>, which is no such refusal, or with
/// <see cref="StreamError.StorageUnavailable"/> while too many wait. All are idempotent: a caller that lost an answer asks again.
/// </remarks>
public interface IStreamRegistry
{
    /// <summary>Opens a stream at an epoch; its last range must be complete (closed, or its WAL recovered).</summary>
    /// <exception cref="StreamException">Fenced, Unknown, Incomplete.</exception>
    ValueTask<StreamOpening> OpenAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, CancellationToken token);

    /// <summary>Closes the range of an epoch at its end, which must be the committed end. A stream that was deleted meanwhile is no error.</summary>
    ValueTask CloseAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, long endOffset, CancellationToken token);

    ValueTask TrimAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, long startOffset, CancellationToken token);

    /// <summary>Hands out ids for objects to upload: the first of <paramref name="count"/> consecutive ones.</summary>
    ValueTask<ObjectId> PrepareAsync(NodeIncarnation node, int count, CancellationToken token);

    /// <summary>
    /// Commits all objects of one upload in one log entry. Each range is judged by itself: a deleted stream, or one whose range was
    /// committed by somebody else, does not block the rest. Commits of a stream come in WAL order.
    /// </summary>
    /// <returns>One verdict for each range, in the order given. A repeated commit gets the verdicts of the first.</returns>
    /// <exception cref="StreamException">Fenced; PrepareExpired: nothing of it counts, upload again under new ids.</exception>
    ValueTask<IReadOnlyList<RangeVerdict>> CommitAsync(UploadCommit commit, CancellationToken token);

    /// <summary>
    /// The committed ranges of a stream that end after <paramref name="offset"/>, in offset order without a gap, at most
    /// <paramref name="limit"/> of them.
    /// </summary>
    ValueTask<IReadOnlyList<ObjectRange>> GetRangesAsync(StreamId stream, long offset, int limit, CancellationToken token);

    /// <summary>The committed end of a stream. Null if there is no such stream.</summary>
    ValueTask<long?> GetCommittedEndAsync(StreamId stream, CancellationToken token);

    /// <summary>
    /// From where on a recovery has to bring the records of a range. Null if the range is not, or no longer, open in the name of the
    /// WAL's incarnation: it was closed, recovered or given up, or the stream is gone, and what the WAL holds of it does not count.
    /// </summary>
    /// <param name="walId">The fenced WAL that is being recovered.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="epoch">The epoch that the records in the WAL name.</param>
    /// <param name="token">Ends the wait.</param>
    ValueTask<long?> GetRecoverableEndAsync(Guid walId, StreamId stream, StreamEpoch epoch, CancellationToken token);

    /// <summary>
    /// Records of an open range that were acknowledged are missing: from now on only an operator who accepts the loss completes it, whatever
    /// becomes of the WAL. A range that is not open in that name any more stays as it is.
    /// </summary>
    /// <param name="node">Who found it.</param>
    /// <param name="walId">Null for the node's own range. For a recovery, the fenced WAL that is being recovered.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="epoch">The range's epoch.</param>
    /// <param name="token">Ends the wait; the call can be repeated.</param>
    ValueTask ReportDamageAsync(NodeIncarnation node, Guid? walId, StreamId stream, StreamEpoch epoch, CancellationToken token);

    /// <summary>
    /// Everything of a fenced incarnation's WAL that can be is committed: its open ranges, but for those reported as damaged, are complete
    /// and close where they end.
    /// </summary>
    /// <param name="node">The recoverer: only a live one knows that nothing was committed behind its back.</param>
    /// <param name="walId">The WAL that was recovered.</param>
    /// <param name="token">Ends the wait; the call can be repeated.</param>
    /// <returns>The streams whose ranges stay open because they are damaged; if there are any the WAL is to be kept.</returns>
    ValueTask<IReadOnlyList<StreamId>> CompleteRecoveryAsync(NodeIncarnation node, Guid walId, CancellationToken token);
}
