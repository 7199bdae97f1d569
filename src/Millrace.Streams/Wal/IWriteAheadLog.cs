using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Streams.Wal;

/// <summary>The small durable buffer before the objects, written by one incarnation.</summary>
/// <remarks>
/// Threading: <see cref="AppendAsync"/> by any thread; the order of calls is the order in the log. Positions rise
/// with that order and are comparable within one WAL only. The task of an append is awaited exactly once.
/// </remarks>
public interface IWriteAheadLog : IAsyncDisposable
{
    WalDescriptor Descriptor { get; }

    /// <summary>
    /// Appends a record. The task completes when it and all before it are durable; tasks complete in order. The payload stays
    /// unchanged until then. After a failed write or flush, or a fence, every append that is not durable fails and so do all later ones.
    /// </summary>
    /// <param name="record">At most <see cref="MaxRecordBytes"/> of payload.</param>
    /// <param name="position">Where it stands: everything at or above must be kept until the record is committed in an object.</param>
    /// <exception cref="StreamException">WalFailed: outcome unknown. Fenced: outcome unknown, and another node owns what follows.</exception>
    ValueTask AppendAsync(in StreamRecord record, out long position);

    /// <summary>
    /// Whether the record at a position, and all before it, become durable, or fail, though nothing be trimmed any more: they are written, or the room that
    /// they need is free. Once it is so, it stays so. False also where that is not certain.
    /// </summary>
    bool HasPlaceFor(long position);

    /// <summary>
    /// The object in the store that holds the record at a position, which is durable, and the position behind its last one; null where the WAL has none, or not
    /// that one any more.
    /// </summary>
    (LogPlace Place, long EndPosition)? FindObject(long position) => null;

    /// <summary>Gives up everything below a position. The caller has made sure that committed objects hold it.</summary>
    ValueTask TrimAsync(long position, CancellationToken token);

    /// <summary>
    /// How much it holds, as a share of what it has room for, or of what a recovery should have to read at most: 0 to 1, and 1 only while appends wait for
    /// space. Small appends take more than their bytes, and a full WAL lets appends wait until it is trimmed. So the owner uploads and trims when this passes a
    /// half, whatever the payload adds up to.
    /// </summary>
    double Fullness { get; }

    int MaxRecordBytes { get; }

    /// <summary>
    /// How long the oldest append to the store has been under way: another node's may succeed, where this one's do not. Zero where none is, and where the WAL
    /// lies on something of the node's own.
    /// </summary>
    TimeSpan Stalled => TimeSpan.Zero;

    /// <summary>
    /// The end of a clean life: every record is committed in objects, the metadata says that this WAL is clean, and nothing
    /// more will be appended. Gives its space back. Disposing without it leaves the WAL to be taken over.
    /// </summary>
    ValueTask RetireAsync(CancellationToken token);

    /// <summary>Completes when the WAL has failed or was fenced, with the reason.</summary>
    Task<StreamException> Lost { get; }
}
