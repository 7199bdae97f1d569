using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Benchmarks.Streams;

/// <summary>A WAL that takes everything for durable at once.</summary>
internal sealed class NoWal : IWriteAheadLog
{
    private long _next;

    public WalDescriptor Descriptor { get; } = new(default, WalKind.Memory, "nowhere", new NodeId(1), new NodeEpoch(1));

    public double Fullness => 0;

    public int MaxRecordBytes => 64 << 20;

    public Task<StreamException> Lost { get; } = new TaskCompletionSource<StreamException>().Task;

    public ValueTask AppendAsync(in StreamRecord record, out long position)
    {
        position = Interlocked.Increment(ref _next);
        return default;
    }

    public bool HasPlaceFor(long position) => true;

    public ValueTask TrimAsync(long position, CancellationToken token) => default;

    public ValueTask RetireAsync(CancellationToken token) => default;

    public ValueTask DisposeAsync() => default;
}
