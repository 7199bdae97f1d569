using Millrace.ObjectStorage;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Streams;

/// <summary>All streams that one node incarnation serves, over its WALs and one object store; each lies in one of them. Knows no Kafka.</summary>
/// <remarks>Threading: any thread.</remarks>
public interface IStreamStore : IAsyncDisposable
{
    /// <summary>The largest payload of one append, in bytes: what every one of its WALs takes.</summary>
    int MaxAppendBytes { get; }

    /// <summary>Uploads have enough to do: producers wait for them, or may soon. What can wait had better.</summary>
    bool IsBusy { get; }

    /// <summary>Why the object store cannot be relied on at present; null if nothing speaks against it.</summary>
    StoreTrouble? StoreTrouble { get; }

    /// <summary>How long appends have waited for the WAL.</summary>
    WalWaits WalWaits { get; }

    /// <summary>
    /// Opens a stream for this node at an epoch that the registry has assigned to it. Reads see everything that any former
    /// owner acknowledged.
    /// </summary>
    /// <param name="id">The stream.</param>
    /// <param name="epoch">Higher than every epoch it was ever opened at.</param>
    /// <param name="owner">Hears what happens to the stream and supplies its checkpoints.</param>
    /// <param name="token">Ends the wait.</param>
    /// <exception cref="StreamException">Fenced, Unknown, Incomplete, StorageUnavailable, ControllerLost, Corrupt, Closed.</exception>
    ValueTask<IStream> OpenAsync(StreamId id, StreamEpoch epoch, IStreamOwner owner, CancellationToken token);

    /// <summary>
    /// Reads what is committed in objects of a stream, also of one that another node has open, from an offset on and in order, a block at a time; each is
    /// for the receiver to dispose of. Ends where nothing more was committed when it came there. What was trimmed may be left out, and may not.
    /// </summary>
    /// <exception cref="StreamException">
    /// By the enumeration. Unknown, StorageUnavailable, ControllerLost, Corrupt, Closed; OffsetOutOfRange: an object is gone, since what it held was trimmed or
    /// moved to another.
    /// </exception>
    IAsyncEnumerable<StreamRead> ReadCommittedAsync(StreamId id, long offset, CancellationToken token);

    /// <summary>As <see cref="ReadCommittedAsync"/>, at any offset and for many readers.</summary>
    ICommittedStream FindCommitted(StreamId id);

    /// <summary>
    /// Reads records of a stream that another node has open in the WAL of that one (<see cref="IStream.FindInWal"/>), from an offset on and in order.
    /// </summary>
    /// <returns>Null if they are there no more.</returns>
    ValueTask<IReadOnlyList<StreamRecord>?> ReadWalAsync(WalExtent extent, StreamId id, long offset, CancellationToken token);

    /// <summary>
    /// Waits until these streams are committed in objects up to these offsets, while they go on (see <see cref="IStream.UploadAsync"/>). They share their
    /// uploads; other streams have no part in them.
    /// </summary>
    /// <exception cref="StreamException">Why one of them ended first; the others are waited for all the same.</exception>
    ValueTask UploadAsync(IReadOnlyCollection<UploadGoal> goals, CancellationToken token);

    /// <summary>Closes these streams, as <see cref="IStream.CloseAsync"/> does, but that one which was deleted is no error. They share their uploads.</summary>
    ValueTask CloseAsync(IReadOnlyCollection<IStream> streams, CancellationToken token);

    /// <summary>As <see cref="IStream.HandOverAsync"/>, of each of these, but that one which was deleted is no error. They share their uploads.</summary>
    ValueTask HandOverAsync(IReadOnlyCollection<IStream> streams, CancellationToken token);

    /// <summary>Uploads everything acknowledged, closes every stream, and leaves the WALs clean.</summary>
    /// <remarks>DisposeAsync without it is a stop without upload: the WALs stay dirty, nothing acknowledged is lost.</remarks>
    ValueTask CloseAsync(CancellationToken token);

    /// <summary>
    /// When all is closed: closes ranges that are open in this incarnation's name all the same, since they were handed over to it when it opened nothing any
    /// more. Nothing was ever appended to them.
    /// </summary>
    /// <param name="ranges">What the registry has in this incarnation's name, and where that ends.</param>
    /// <param name="token">Ends the wait; the call can be repeated.</param>
    /// <exception cref="StreamException">Fenced; Incomplete: one of them was served here, and lost. The WAL may have records of it.</exception>
    ValueTask CloseUnservedAsync(IReadOnlyCollection<StreamClose> ranges, CancellationToken token);
}
