using System.Globalization;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal.Memory;

/// <summary>WALs in memory, for tests and for trying things out: they last as long as this provider, which may serve several nodes in turn.</summary>
/// <remarks>Threading: any thread.</remarks>
public sealed class MemoryWalProvider(NodeRuntime runtime) : IWalProvider
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, (MemoryWal Wal, MemoryWalLog Log)> _wals = [];

    public WalKind Kind => WalKind.Memory;

    public WalDescriptor Describe(NodeId node, NodeEpoch epoch, IReadOnlyCollection<WalDescriptor> waiting)
    {
        var id = runtime.NewId();
        return new(id, WalKind.Memory, string.Create(CultureInfo.InvariantCulture, $"memory:{id:N}"), node, epoch);
    }

    /// <summary>Nothing: memory has no halves.</summary>
    public ValueTask RemoveUnfinishedAsync(CancellationToken token) => ValueTask.CompletedTask;

    public ValueTask<IWriteAheadLog> CreateAsync(WalDescriptor descriptor, CancellationToken token)
    {
        var log = new MemoryWalLog();
        var wal = new MemoryWal(descriptor, log, () => Remove(descriptor));
        lock (_lock)
        {
            _wals.Add(descriptor.Id, (wal, log));
        }

        return ValueTask.FromResult<IWriteAheadLog>(wal);
    }

    public ValueTask<ISealedWal> TakeOverAsync(WalDescriptor descriptor, CancellationToken token)
    {
        MemoryWal wal;
        MemoryWalLog log;
        lock (_lock)
        {
            if (!_wals.TryGetValue(descriptor.Id, out var found))
            {
                throw new WalUnavailableException(
                    descriptor, $"The WAL {descriptor.Location} was in the memory of a process that has ended: what it held is lost");
            }

            (wal, log) = found;
        }

        var reason = new StreamException(StreamError.Fenced, $"The WAL {descriptor.Location} was taken over");
        if (log.End(reason))
        {
            wal.Fence(reason);
        }

        return ValueTask.FromResult<ISealedWal>(new SealedMemoryWal(descriptor, log, () => Remove(descriptor)));
    }

    public ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token)
    {
        Remove(descriptor);
        return ValueTask.FromResult(true);
    }

    /// <summary>None does: memory has room.</summary>
    public bool SharesRoomWith(WalDescriptor retired) => false;

    /// <summary>None: they end with the process.</summary>
    public ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token) =>
        ValueTask.FromResult<IReadOnlyList<string>>([]);

    private void Remove(WalDescriptor descriptor)
    {
        lock (_lock)
        {
            _wals.Remove(descriptor.Id);
        }
    }
}
