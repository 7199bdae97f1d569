using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Object;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>Takes WALs over with a mistake: what they hold is found out before they are sealed, and not again after that.</summary>
internal sealed class PlantedTakeover(NodeRuntime runtime, IObjectStorage storage, IWalTakeover wals) : IWalTakeover
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(2);

    public async ValueTask<ISealedWal> TakeOverAsync(WalDescriptor descriptor, CancellationToken token)
    {
        var log = new ObjectLog(runtime, storage, descriptor.Location, new ObjectLogOptions { InFlight = ObjectWalFormat.InFlight });
        var start = LogStart.Beginning(descriptor.Id) with { Next = await log.BoundaryAsync(token) };
        using var reader = log.ReadHeaders(start);
        var lengths = new Dictionary<LogPlace, long>();
        while (await reader.StepAsync(token) is { Kind: LogStepKind.Entry } step)
        {
            lengths.Add(step.Place, step.Length);
        }

        await Task.Delay(Between, runtime.Time, token);
        var end = start.Next with { Index = start.Next.Index + lengths.Count };
        return new Early(await wals.TakeOverAsync(descriptor, token), new SealedObjectWal(log, descriptor, start, end, lengths));
    }

    public ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token) => wals.DiscardAsync(descriptor, token);

    private sealed class Early(ISealedWal recovery, ISealedWal early) : ISealedWal
    {
        public WalDescriptor Descriptor => recovery.Descriptor;

        public IAsyncEnumerable<StreamRecord> ReadAsync(CancellationToken token) => early.ReadAsync(token);

        public ValueTask CompleteAsync(CancellationToken token) => recovery.CompleteAsync(token);

        public ValueTask DisposeAsync() => recovery.DisposeAsync();
    }
}
