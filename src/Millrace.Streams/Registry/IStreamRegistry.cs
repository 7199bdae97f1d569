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

    /// <summary>
    /// How a stream is open at an epoch in the caller's name, be it by its own asking or since whoever handed it over had it opened for the next owner.
    /// A question: it changes nothing.
    /// </summary>
    /// <returns>Null if it is not open so; then it is to be opened.</returns>
    ValueTask<StreamOpening?> FindOpeningAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, CancellationToken token);

    /// <summary>Closes the range of an epoch at its end, which must be the committed end. A stream that was deleted meanwhile is no error.</summary>
    /// <param name="node">Who has it open.</param>
    /// <param name="close">What is closed, and where.</param>
    /// <param name="token">Ends the wait; the call can be repeated.</param>
    /// <exception cref="StreamException">Fenced, Unknown, Incomplete.</exception>
    ValueTask CloseAsync(NodeIncarnation node, StreamClose close, CancellationToken token);

    ValueTask TrimAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, long startOffset, CancellationToken token);

    /// <summary>Hands out ids for objects to upload: the first of <paramref name="count"/> consecutive ones.</summary>
    ValueTask<ObjectId> PrepareAsync(NodeIncarnation node, int count, CancellationToken token);

    /// <summary>
    /// Commits all objects of one upload in one log entry. Each range is judged by itself: a deleted stream, or one whose range was
    /// committed by somebody else, does not block the rest. Commits of a stream come in WAL order.
    /// </summary>
    /// <returns>What became of it. A repeated commit is judged as the first was.</returns>
    /// <exception cref="StreamException">Fenced; PrepareExpired: nothing of it counts, upload again under new ids.</exception>
    ValueTask<CommittedUpload> CommitAsync(UploadCommit commit, CancellationToken token);

    /// <summary>
    /// The committed ranges of a stream that end after <paramref name="offset"/>, in offset order without a gap, at most
    /// <paramref name="limit"/> of them. With <paramref name="asOfNow"/> as they are when this is asked, and not as whoever was asked before knew them: what
    /// they name is there, unless it is damaged.
    /// </summary>
    ValueTask<IReadOnlyList<ObjectRange>> GetRangesAsync(StreamId stream, long offset, int limit, bool asOfNow, CancellationToken token);

    /// <summary>The committed end of a stream. Null if there is no such stream.</summary>
    ValueTask<long?> GetCommittedEndAsync(StreamId stream, CancellationToken token);

    /// <summary>
    /// From where on a recovery has, or would have, to bring the records of a range, whoever's share it is. Null if the range is not, or no longer, open in
    /// the name of the WAL's incarnation: it was closed, recovered or given up, or the stream is gone, and what the WAL holds of it does not count.
    /// </summary>
    /// <param name="walId">The WAL.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="epoch">The epoch that the records in the WAL name.</param>
    /// <param name="token">Ends the wait.</param>
    ValueTask<long?> GetRecoverableEndAsync(Guid walId, StreamId stream, StreamEpoch epoch, CancellationToken token);

    /// <summary>
    /// Records of an open range that were acknowledged are missing: from now on only an operator who accepts the loss completes it, whatever
    /// becomes of the WAL. A range that is not open in that name any more, or not in the node's share of the WAL, stays as it is.
    /// </summary>
    /// <param name="node">Who found it.</param>
    /// <param name="walId">Null for the node's own range. For a recovery, the fenced WAL that is being recovered.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="epoch">The range's epoch.</param>
    /// <param name="token">Ends the wait; the call can be repeated.</param>
    ValueTask ReportDamageAsync(NodeIncarnation node, Guid? walId, StreamId stream, StreamEpoch epoch, CancellationToken token);

    /// <summary>What a node has to bring of the WALs of fenced incarnations, oldest first, as of an image that is not older than the node's own.</summary>
    /// <exception cref="StreamException">Fenced.</exception>
    ValueTask<IReadOnlyList<WalShare>> GetSharesAsync(NodeIncarnation node, CancellationToken token);

    /// <summary>
    /// All that the WAL has of these ranges, and can be, is committed: but for those reported as damaged they are complete, close where they end, and the
    /// node leads their partitions. What is not, or no longer, in its share is left as it is, and so is what is committed less far than it was read.
    /// </summary>
    /// <param name="node">The recoverer: only a live one knows that nothing was committed behind its back.</param>
    /// <param name="share">What was recovered, by name: what comes to the share meanwhile was not.</param>
    /// <param name="token">Ends the wait; the call can be repeated.</param>
    /// <exception cref="StreamException">Fenced.</exception>
    ValueTask<ShareCompletion> CompleteRecoveryAsync(NodeIncarnation node, WalShare share, CancellationToken token);
}
