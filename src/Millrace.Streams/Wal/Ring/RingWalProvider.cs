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
    public WalKind Kind => medium.Kind;

    /// <summary>Rings in files of a folder.</summary>
    /// <param name="runtime">Its files hold the WALs.</param>
    /// <param name="pool">Lends the buffers.</param>
    /// <param name="folder">An absolute path.</param>
    /// <param name="options">What an operator tunes.</param>
    public static RingWalProvider InFolder(NodeRuntime runtime, BufferPool pool, string folder, RingWalOptions options) =>
        new(runtime, pool, new WalFolder(runtime, folder, options.Capacity, options.Mode), options);

    public WalDescriptor Describe(NodeId node, NodeEpoch epoch)
    {
        var id = runtime.NewId();
        return new(id, medium.Kind, medium.Locate(id), node, epoch);
    }

    public ValueTask RemoveUnfinishedAsync(CancellationToken token) => medium.RemoveUnfinishedAsync(token);

    public ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token) => medium.FindOthersAsync(known, token);

    public async ValueTask<IWriteAheadLog> CreateAsync(WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            return await CreateInAsync(await medium.MakeAsync(descriptor, token), descriptor, token);
        }
        catch (Exception failure) when (IsOfMedium(failure))
        {
            throw new WalUnavailableException(descriptor, $"The WAL {descriptor.Location} cannot be made: {failure.Message}", failure);
        }
    }

    public async ValueTask<IWalRecovery> TakeOverAsync(WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            return await SealAsync(await medium.FenceAsync(descriptor, token), descriptor, token);
        }
        catch (Exception failure) when (IsOfMedium(failure))
        {
            throw new WalUnavailableException(descriptor, $"The WAL {descriptor.Location} cannot be used: {failure.Message}", failure);
        }
    }

    public async ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            return await medium.DiscardAsync(descriptor, token);
        }
        catch (Exception failure) when (IsOfMedium(failure))
        {
            throw new WalUnavailableException(descriptor, $"The retired WAL {descriptor.Location} cannot be deleted: {failure.Message}", failure);
        }
    }

    private async ValueTask<IWriteAheadLog> CreateInAsync(IWalSpace space, WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            var ring = NewRing(space, descriptor);
            var header = new RingHeader
            {
                Id = descriptor.Id,
                Node = descriptor.Node,
                Epoch = descriptor.Epoch,
                Capacity = ring.Capacity,
                Identity = space.Identity,
            };

            // Both slots: the space may have had another life, whose headers must not be read any more.
            token.ThrowIfCancellationRequested();
            await ring.WriteHeaderAsync(header);
            header = header with { SlotSequence = 1 };
            await ring.WriteHeaderAsync(header);
            return new RingWal(runtime, pool, descriptor, ring, header, space, options);
        }
        catch
        {
            await space.DisposeAsync();
            throw;
        }
    }

    private async ValueTask<IWalRecovery> SealAsync(IWalSpace space, WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            var ring = NewRing(space, descriptor);

            // What a killed writer left in the page cache becomes durable here, or fails. Reading past the page cache then sees
            // what the medium has: after a failed flush the cache holds bytes that the medium never got.
            await ring.FlushAsync();
            var header = await ReadHeaderAsync(descriptor, space, ring, token);
            using (var reader = new WalBlockReader(ring, pool, header))
            {
                header = await RingScan.FindEndAsync(descriptor, reader, header, ring.Size, token);
            }

            if (!header.IsSealed)
            {
                header = header with { IsSealed = true, SlotSequence = header.SlotSequence + 1 };
                await ring.WriteHeaderAsync(header);
            }

            var (blocks, bytes) = (header.EndSequence - header.TrimSequence, header.EndRingPosition - header.TrimRingPosition);
            WalMessages.WalSealed(runtime.Loggers, descriptor.Location, blocks, bytes);
            return new RingWalRecovery(descriptor, ring, pool, header, space);
        }
        catch
        {
            await space.DisposeAsync();
            throw;
        }
    }

    private WalRing NewRing(IWalSpace space, WalDescriptor descriptor) =>
        space.Device.Capacity >= RingFormat.RingStart + RingFormat.Sector
            ? new WalRing(space.Device, pool)
            : throw new WalUnavailableException(
                descriptor,
                $"{space.Name} has {space.Device.Capacity} bytes, which is no WAL: it was cut short. What is needed is what node {descriptor.Node} wrote.");

    private static async ValueTask<RingHeader> ReadHeaderAsync(WalDescriptor descriptor, IWalSpace space, WalRing ring, CancellationToken token)
    {
        var header = await ring.ReadHeaderAsync(descriptor.Id, token);
        if (header is null && await ring.ReadFormatAsync(token) is { } format and not RingFormat.Version)
        {
            throw new WalUnavailableException(
                descriptor,
                $"{space.Name} has format {format}, and this program knows {RingFormat.Version}: another version of Millrace wrote it. "
                + "Recover it with that one.");
        }

        var wrong = header is null || header.Epoch != descriptor.Epoch || header.Node != descriptor.Node
            ? "is not the WAL of that node: it was replaced or overwritten"
            : header.Identity != space.Identity ? "is a copy of the WAL: it may lack records that were acknowledged after it was copied"
            : header.Capacity != ring.Capacity ? $"has {ring.Capacity} bytes and had {header.Capacity}"
            : null;
        return wrong is null ? header! : throw new WalUnavailableException(
            descriptor, $"{space.Name} {wrong}. What is needed is what node {descriptor.Node} wrote.");
    }

    // .NET has another exception for what is not permitted.
    private static bool IsOfMedium(Exception failure) => failure is IOException or UnauthorizedAccessException;
}
