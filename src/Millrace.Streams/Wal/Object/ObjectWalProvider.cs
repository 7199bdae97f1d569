using System.Globalization;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal.Object;

/// <summary>WALs in the cluster's object store: any node recovers any other's. Threading: any thread.</summary>
/// <param name="runtime">The node's surroundings.</param>
/// <param name="pool">Lends the buffers.</param>
/// <param name="storage">Where the WALs lie, below WAL/ and their ids.</param>
/// <param name="options">What an operator tunes.</param>
public sealed class ObjectWalProvider(NodeRuntime runtime, BufferPool pool, IObjectStorage storage, ObjectWalOptions options) : IWalProvider
{
    internal static readonly ObjectLogOptions LogOptions = new() { InFlight = ObjectWalFormat.InFlight, ReadAhead = ObjectWalFormat.ReadAtOnce };

    public WalKind Kind => WalKind.Object;

    /// <summary>The log at a location; the simulator plants its mistakes here.</summary>
    internal Func<string, ObjectLog> LogAt { get; init; } = location => new ObjectLog(runtime, storage, location, LogOptions);

    public WalDescriptor Describe(NodeId node, NodeEpoch epoch, IReadOnlyCollection<WalDescriptor> waiting)
    {
        var id = runtime.NewId();
        return new(id, WalKind.Object, string.Create(CultureInfo.InvariantCulture, $"WAL/{id:N}/"), node, epoch);
    }

    /// <summary>Nothing: the first object makes it.</summary>
    public ValueTask RemoveUnfinishedAsync(CancellationToken token) => ValueTask.CompletedTask;

    public ValueTask<IWriteAheadLog> CreateAsync(WalDescriptor descriptor, CancellationToken token) =>
        ValueTask.FromResult<IWriteAheadLog>(new ObjectWal(runtime, pool, LogOf(descriptor), descriptor, options));

    public async ValueTask<ISealedWal> TakeOverAsync(WalDescriptor descriptor, CancellationToken token)
    {
        var log = LogOf(descriptor);
        var (start, seal, lengths) = await new ObjectWalTakeover(log, descriptor).SealAsync(token);
        WalMessages.WalSealed(runtime.Loggers, descriptor.Location, seal.Index - start.Next.Index);
        return new SealedObjectWal(log, descriptor, start, seal, lengths);
    }

    public async ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token)
    {
        await new ObjectWalTakeover(LogOf(descriptor), descriptor).RetireAsync(token);
        return true;
    }

    /// <summary>None does: a bucket has room.</summary>
    public bool SharesRoomWith(WalDescriptor retired) => false;

    /// <summary>None: of every WAL there ever was a seal stays, and the bucket is this cluster's alone.</summary>
    public ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token) =>
        ValueTask.FromResult<IReadOnlyList<string>>([]);

    private ObjectLog LogOf(WalDescriptor descriptor) => LogAt(descriptor.Location);
}
