namespace Millrace.Streams.Wal.Memory;

internal sealed class SealedMemoryWal(WalDescriptor descriptor, MemoryWalLog log, Action complete) : ISealedWal
{
    public WalDescriptor Descriptor => descriptor;

    public IAsyncEnumerable<StreamRecord> ReadAsync(CancellationToken token) => log.Snapshot().ToAsyncEnumerable();

    public ValueTask CompleteAsync(CancellationToken token)
    {
        complete();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
