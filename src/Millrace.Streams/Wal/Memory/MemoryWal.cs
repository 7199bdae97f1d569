namespace Millrace.Streams.Wal.Memory;

/// <summary>A WAL whose medium is its provider's memory: an append is as durable as that from the moment it returns.</summary>
internal sealed class MemoryWal(WalDescriptor descriptor, MemoryWalLog log, Action retire) : IWriteAheadLog
{
    private readonly TaskCompletionSource<StreamException> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public WalDescriptor Descriptor => descriptor;

    public double Fullness => 0;

    public int MaxRecordBytes => 64 << 20;

    public Task<StreamException> Lost => _lost.Task;

    public ValueTask AppendAsync(in StreamRecord record, out long position)
    {
        position = log.Append(record);
        return ValueTask.CompletedTask;
    }

    public bool HasPlaceFor(long position) => true;

    public ValueTask TrimAsync(long position, CancellationToken token)
    {
        log.Trim(position);
        return ValueTask.CompletedTask;
    }

    public async ValueTask RetireAsync(CancellationToken token)
    {
        await DisposeAsync();
        retire();
    }

    public ValueTask DisposeAsync()
    {
        log.End(new StreamException(StreamError.Closed, "The WAL is closed"));
        return ValueTask.CompletedTask;
    }

    internal void Fence(StreamException reason) => _lost.TrySetResult(reason);
}
