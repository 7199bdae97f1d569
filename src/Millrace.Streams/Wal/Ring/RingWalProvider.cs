using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Wal.Media;

namespace Millrace.Streams.Wal.Ring;

/// <summary>WALs that are rings of blocks, whatever they lie on.</summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="runtime">The node's surroundings.</param>
/// <param name="pool">Lends the buffers.</param>
/// <param name="medium">Where the rings lie.</param>
/// <param name="options">What an operator tunes.</param>
public sealed class RingWalProvider(NodeRuntime runtime, BufferPool pool, IWalMedium medium, RingWalOptions options) : IWalProvider
{
    private readonly RingWalTakeover _former = new(runtime, pool, medium);

    // What waited when the place of the WAL was chosen.
    private HashSet<Guid> _waiting = [];

    public WalKind Kind => medium.Kind;

    public WalDescriptor Describe(NodeId node, NodeEpoch epoch, IReadOnlyCollection<WalDescriptor> waiting)
    {
        var id = runtime.NewId();
        _waiting = waiting.Select(other => other.Id).ToHashSet();
        return new(id, medium.Kind, medium.Locate(id, waiting), node, epoch);
    }

    public ValueTask RemoveUnfinishedAsync(CancellationToken token) => medium.RemoveUnfinishedAsync(token);

    public ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token) => medium.FindOthersAsync(known, token);

    public async ValueTask<IWriteAheadLog> CreateAsync(WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            return await CreateInAsync(await medium.MakeAsync(descriptor, token), descriptor, token);
        }
        catch (Exception failure) when (RingWalTakeover.IsOfMedium(failure))
        {
            throw new WalUnavailableException(descriptor, $"The WAL {descriptor.Location} cannot be made: {failure.Message}", failure);
        }
    }

    public ValueTask<ISealedWal> TakeOverAsync(WalDescriptor descriptor, CancellationToken token) => _former.TakeOverAsync(descriptor, token);

    public ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token) => _former.DiscardAsync(descriptor, token);

    public bool SharesRoomWith(WalDescriptor retired) => medium.SharesRoomWith(retired);

    private async ValueTask<IWriteAheadLog> CreateInAsync(IWalSpace space, WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            var ring = RingWalTakeover.RingIn(space, descriptor, pool);
            if (medium.AreShared)
            {
                await RequireUnneededAsync(ring, space, descriptor, token);
            }

            // Both slots: the space may have had another life, whose headers must not be read any more.
            token.ThrowIfCancellationRequested();
            var header = await ring.WriteHeadersAsync(new()
            {
                Id = descriptor.Id,
                Node = descriptor.Node,
                Epoch = descriptor.Epoch,
                Capacity = ring.Capacity,
                Identity = space.Identity,
            });
            return new RingWal(runtime, pool, descriptor, ring, header, space, options);
        }
        catch
        {
            await space.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Looks that the space holds nothing that is still needed, though the metadata has it free: an incarnation that slept while its successors lived must
    /// not write over them, nor one that knows the space by another name over what waits in it.
    /// </summary>
    private async ValueTask RequireUnneededAsync(WalRing ring, IWalSpace space, WalDescriptor descriptor, CancellationToken token)
    {
        if (await ring.ReadHeaderAsync(wal: null, token) is not { } former)
        {
            return;
        }

        if (_waiting.Contains(former.Id))
        {
            throw new WalUnavailableException(
                descriptor,
                $"{space.Name} holds the WAL {former.Id} of node {former.Node}, epoch {former.Epoch}, which waits for its recovery: "
                + "give the device the name by which that is known");
        }

        if (former.Node == descriptor.Node && former.Epoch.Value > descriptor.Epoch.Value)
        {
            throw new StreamException(
                StreamError.Fenced, $"{space.Name} holds the WAL of a later incarnation of node {former.Node}, epoch {former.Epoch}: this one is over");
        }
    }
}
