using Millrace.Runtime.Ids;

namespace Millrace.Streams;

/// <summary>An append-only sequence of records with dense 64-bit offsets, open on this node at one epoch.</summary>
public interface IStream
{
    StreamId Id { get; }

    StreamEpoch Epoch { get; }

    /// <summary>Which of the node's WALs it lies in until its records are uploaded: an additional one of a kind, or (null) the default.</summary>
    WalKind? Wal { get; }

    /// <summary>The lowest offset that may be read; only rises.</summary>
    long StartOffset { get; }

    /// <summary>Everything below is committed in objects, as far as this node knows; only rises.</summary>
    long CommittedOffset { get; }

    /// <summary>Everything below is durable, and all before it is too. Only this may be shown to anyone; only rises.</summary>
    long ConfirmOffset { get; }

    /// <summary>The offset that the next append will get; appends under way lie between it and the confirm offset.</summary>
    long NextOffset { get; }

    /// <summary>The payload of the records that are in no committed object yet, in bytes.</summary>
    long UncommittedBytes { get; }

    /// <summary>The epochs the stream was opened at and the offsets they began at, in order, this one last. Trimmed ones may be missing.</summary>
    IReadOnlyList<EpochStart> Epochs { get; }

    /// <summary>The newest checkpoint at the time of opening; records from its offset on are to be replayed by the owner.</summary>
    StreamCheckpoint? Checkpoint { get; }

    /// <summary>
    /// Waits until what all streams of the store hold that is not yet uploaded leaves room for <paramref name="bytes"/> more, and takes that room. This is
    /// where producers feel a slow or dead object store. Admission comes before an offset is given, so that a caller that times out here has left no trace.
    /// </summary>
    /// <returns>Room that one append uses up, or that <see cref="AppendPermit.Dispose"/> gives back.</returns>
    /// <exception cref="StreamException">Why the store has ended.</exception>
    ValueTask<AppendPermit> AdmitAsync(long bytes, CancellationToken token);

    /// <summary>
    /// As <see cref="AdmitAsync"/>, but from a reserve beyond the bound, and before all who wait there: for the few small records on
    /// which a cluster's working depends, so that they do not wait with its data.
    /// </summary>
    ValueTask<AppendPermit> AdmitFromReserveAsync(long bytes, CancellationToken token);

    /// <summary>
    /// Appends. The offset is taken before this returns (it was <see cref="NextOffset"/>), so the caller serialises its appends
    /// to one stream and may write the offset into the payload before calling. The task completes when the record and all
    /// before it are durable; calls complete in order.
    /// </summary>
    /// <remarks>
    /// Whatever it throws, it throws before anything has happened: nothing was appended, and the next append gets the same offset. Once it
    /// returns a task, the record is accepted: its offset is never given out again, and a task that fails leaves its outcome unknown and the stream lost.
    /// The caller takes the room for its own state before it calls.
    /// </remarks>
    /// <exception cref="StreamException">Fenced, Closed, WalFailed; Corrupt if the payload does not have the checksum that the caller states.</exception>
    ValueTask AppendAsync(in StreamAppend append, AppendPermit permit);

    /// <summary>
    /// Reads whole records from the one that contains <paramref name="offset"/> on, all below the confirm offset, at least one
    /// if there is one, else up to <paramref name="maxBytes"/> of payload. Empty at the confirm offset.
    /// </summary>
    /// <exception cref="StreamException">OffsetOutOfRange, Closed, StorageUnavailable, Corrupt.</exception>
    ValueTask<StreamRead> ReadAsync(long offset, int maxBytes, CancellationToken token);

    /// <summary>
    /// Where in the WAL records from the one on that contains an offset lie, all below the confirm offset, if the WAL lies in the store and they are not
    /// trimmed there; else null. Other nodes read them there, by <see cref="IStreamStore.ReadWalAsync"/>.
    /// </summary>
    WalExtent? FindInWal(long offset);

    /// <summary>
    /// The first record that ends after <paramref name="fromOffset"/> (and after the start offset) and whose largest timestamp is at
    /// least <paramref name="timestamp"/>; null if none. The caller disposes it.
    /// </summary>
    ValueTask<StreamRead?> FindByTimestampAsync(long timestamp, long fromOffset, CancellationToken token);

    /// <summary>
    /// Waits until everything below an offset is committed in objects, while the stream goes on; an upload of this stream alone begins if it is not. What is
    /// above goes along as far as it is durable.
    /// </summary>
    /// <param name="endOffset">At most the next offset.</param>
    /// <param name="token">Ends the wait; the upload goes on.</param>
    /// <exception cref="StreamException">Why the stream ended first.</exception>
    ValueTask UploadAsync(long endOffset, CancellationToken token);

    /// <summary>Raises the start offset, durably. Data below goes when no object needs it.</summary>
    /// <exception cref="StreamException">OffsetOutOfRange; why the stream ended first; StorageUnavailable or ControllerLost: to be asked again.</exception>
    ValueTask TrimAsync(long startOffset, CancellationToken token);

    /// <summary>Bytes and newest timestamps of what is stored, oldest first, in pieces the store can trim at: what retention decides on.</summary>
    IReadOnlyList<StreamExtent> Extents { get; }

    /// <summary>
    /// Gives the stream up, as if it had failed by itself: its owner cannot follow it any more. It must be loud: what is in the WAL waits for
    /// a recovery, or another epoch. The first reason counts.
    /// </summary>
    void Lose(StreamException reason);

    /// <summary>
    /// Refuses further appends, waits for those under way, uploads the tail and the owner's state, of this stream alone, and closes the range in the
    /// registry.
    /// </summary>
    ValueTask CloseAsync(CancellationToken token);

    /// <summary>
    /// As <see cref="CloseAsync"/>, and in the very step that closes the range the stream has its next owner, at a higher epoch: whoever the registry has
    /// planned it to, or this node again. Once <see cref="MayHaveMoved"/>, nothing read from here may be told of any more.
    /// </summary>
    ValueTask HandOverAsync(CancellationToken token);

    /// <summary>
    /// The registry is being asked to close the stream, or was, or the stream is lost: another may own it and have acknowledged records. Until then nothing can
    /// have changed.
    /// </summary>
    bool MayHaveMoved { get; }

    /// <summary>
    /// Takes the stream back that was to be handed over, as though nobody had asked: it takes appends again. Nobody may wait for <see cref="HandOverAsync"/>
    /// any more.
    /// </summary>
    /// <returns>False if it is too late, since it <see cref="MayHaveMoved"/> or has ended, or if somebody closes it.</returns>
    bool TryTakeBack();
}
