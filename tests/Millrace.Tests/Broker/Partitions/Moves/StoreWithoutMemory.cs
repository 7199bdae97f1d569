using Millrace.ObjectStorage;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;

namespace Millrace.Tests.Broker.Partitions.Moves;

/// <summary>A store that has no memory to upload several streams together while they go on, and for all else does.</summary>
internal sealed class StoreWithoutMemory(IStreamStore store) : IStreamStore
{
    public int MaxAppendBytes => store.MaxAppendBytes;

    public bool IsBusy => store.IsBusy;

    public StoreTrouble? StoreTrouble => store.StoreTrouble;

    public WalWaits WalWaits => store.WalWaits;

    public ValueTask<IStream> OpenAsync(StreamId id, StreamEpoch epoch, IStreamOwner owner, CancellationToken token) =>
        store.OpenAsync(id, epoch, owner, token);

    public IAsyncEnumerable<StreamRead> ReadCommittedAsync(StreamId id, long offset, CancellationToken token) => store.ReadCommittedAsync(id, offset, token);

    public ValueTask<IReadOnlyList<StreamRecord>?> ReadWalAsync(WalExtent extent, StreamId id, long offset, CancellationToken token) =>
        store.ReadWalAsync(extent, id, offset, token);

    public ICommittedStream FindCommitted(StreamId id) => store.FindCommitted(id);

    public ValueTask UploadAsync(IReadOnlyCollection<UploadGoal> goals, CancellationToken token) => ValueTask.FromException(new InsufficientMemoryException());

    public ValueTask CloseAsync(IReadOnlyCollection<IStream> streams, CancellationToken token) => store.CloseAsync(streams, token);

    public ValueTask HandOverAsync(IReadOnlyCollection<IStream> streams, CancellationToken token) => store.HandOverAsync(streams, token);

    public ValueTask CloseAsync(CancellationToken token) => store.CloseAsync(token);

    public ValueTask CloseUnservedAsync(IReadOnlyCollection<StreamClose> ranges, CancellationToken token) => store.CloseUnservedAsync(ranges, token);

    public ValueTask DisposeAsync() => store.DisposeAsync();
}
