using System.Runtime.CompilerServices;
using Millrace.Cluster.Membership;
using Millrace.Controller.Clients;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>Recovers shares of WALs with a mistake.</summary>
/// <param name="fault">Which.</param>
/// <param name="member">The process' place in its cluster; null while it has none.</param>
/// <param name="fencedIn">The term in which the writer of a WAL was fenced.</param>
/// <param name="recovered">The streams whose recovery this process has completed, which outlives incarnations.</param>
/// <param name="wals">Takes them over without a mistake.</param>
internal sealed class PlantedShares(
    PlantedFault fault, Func<ClusterMember?> member, Func<Guid, long?> fencedIn, HashSet<StreamId> recovered, IWalTakeover wals) : IWalTakeover
{
    public async ValueTask<ISealedWal> TakeOverAsync(WalDescriptor descriptor, CancellationToken token)
    {
        // As if the plan had been in the memory of the controller that fenced the writer.
        if (fault == PlantedFault.ForgetPlanWithController && fencedIn(descriptor.Id) is { } term && member()?.Metadata.Image.Version.Term > term)
        {
            throw new WalUnavailableException(descriptor, "Nobody knows any more whose it is.");
        }

        if (fault == PlantedFault.CountLateCompletion)
        {
            await CompleteAsync(range => recovered.Contains(range.Stream), token);
        }

        return new Recovery(this, await wals.TakeOverAsync(descriptor, token));
    }

    public ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token) => wals.DiscardAsync(descriptor, token);

    /// <summary>Calls complete what this node is to bring, whether or not it has.</summary>
    private async Task CompleteAsync(Func<ShareRange, bool> isMeant, CancellationToken token)
    {
        if (member() is not { Registered: { } self } present)
        {
            return;
        }

        var registry = new StreamRegistry(present.Channel, self);
        try
        {
            foreach (var share in await registry.GetSharesAsync(self, token))
            {
                await registry.CompleteRecoveryAsync(self, share with { Ranges = [.. share.Ranges.Where(isMeant)] }, token);
            }
        }
        catch (StreamException)
        {
            // The controller is lost, or the incarnation is over: then there is no mistake this time.
        }
    }

    private sealed class Recovery(PlantedShares planted, ISealedWal recovery) : ISealedWal
    {
        private readonly HashSet<StreamId> _read = [];

        public WalDescriptor Descriptor => recovery.Descriptor;

        public async IAsyncEnumerable<StreamRecord> ReadAsync([EnumeratorCancellation] CancellationToken token)
        {
            await foreach (var record in recovery.ReadAsync(token))
            {
                _read.Add(record.Stream);
                yield return record;
            }

            if (planted.Fault == PlantedFault.CompleteUnread)
            {
                await planted.CompleteAsync(_ => true, token);
            }
        }

        public ValueTask CompleteAsync(CancellationToken token) => recovery.CompleteAsync(token);

        public async ValueTask DisposeAsync()
        {
            planted.Recovered.UnionWith(_read);
            if (planted.Fault == PlantedFault.TakeShareForWal)
            {
                await recovery.CompleteAsync(CancellationToken.None);
            }

            await recovery.DisposeAsync();
        }
    }

    private PlantedFault Fault => fault;

    private HashSet<StreamId> Recovered => recovered;
}
