using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Streams.Wal.Media;

namespace Millrace.Streams.Wal.Ring;

/// <summary>Takes over rings that former incarnations wrote, whatever they lie on.</summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="runtime">The node's surroundings.</param>
/// <param name="pool">Lends the buffers.</param>
/// <param name="spaces">Where the rings lie.</param>
public sealed class RingWalTakeover(NodeRuntime runtime, BufferPool pool, IFormerSpaces spaces) : IWalTakeover
{
    private static readonly TimeSpan SealPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SealPatience = TimeSpan.FromSeconds(2);

    public async ValueTask<ISealedWal> TakeOverAsync(WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            if (await TryReadAsync(descriptor, token) is { } ready)
            {
                return ready;
            }

            if (await TryReadSoonAsync(descriptor, () => spaces.GetPatienceAsync(descriptor, token), token) is { } sealedByOther)
            {
                return sealedByOther;
            }

            var held = await SealAsync(await spaces.FenceAsync(descriptor, token), descriptor, token);
            try
            {
                // Where several can read it, whoever else has a share of it need not wait.
                if (await TryReadAsync(descriptor, token) is not { } shared)
                {
                    return held;
                }

                await held.DisposeAsync();
                return shared;
            }
            catch
            {
                await held.DisposeAsync();
                throw;
            }
        }
        catch (Exception failure) when (IsOfMedium(failure))
        {
            return await TryReadSoonAsync(descriptor, () => new(SealPatience), token)
                ?? throw new WalUnavailableException(descriptor, $"The WAL {descriptor.Location} cannot be used: {failure.Message}", failure);
        }
    }

    public async ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            return await spaces.DiscardAsync(descriptor, token);
        }
        catch (Exception failure) when (IsOfMedium(failure))
        {
            throw new WalUnavailableException(descriptor, $"The retired WAL {descriptor.Location} cannot be deleted: {failure.Message}", failure);
        }
    }

    internal static WalRing RingIn(IWalSpace space, WalDescriptor descriptor, BufferPool pool) =>
        space.Device.Capacity >= RingFormat.RingStart + RingFormat.Sector
            ? new WalRing(space.Device, pool)
            : throw new WalUnavailableException(
                descriptor,
                $"{space.Name} has {space.Device.Capacity} bytes, which is no WAL: it was cut short. What is needed is what node {descriptor.Node} wrote.");

    // .NET has another exception for what is not permitted.
    internal static bool IsOfMedium(Exception failure) => failure is IOException or UnauthorizedAccessException;

    /// <summary>Whoever else takes the WAL over, and may have taken the medium from this one, seals it, too: that is waited for a while.</summary>
    /// <param name="descriptor">The WAL.</param>
    /// <param name="patience">For how long, as is asked again and again.</param>
    /// <param name="token">Ends the wait.</param>
    private async ValueTask<ISealedWal?> TryReadSoonAsync(WalDescriptor descriptor, Func<ValueTask<TimeSpan>> patience, CancellationToken token)
    {
        var began = runtime.Time.GetTimestamp();
        while (spaces.AreShared && runtime.Time.GetElapsedTime(began) < await patience())
        {
            try
            {
                if (await TryReadAsync(descriptor, token) is { } ready)
                {
                    return ready;
                }
            }
            catch (Exception failure) when (IsOfMedium(failure))
            {
                // What it was refused with before says more.
                return null;
            }

            await Task.Delay(SealPause, runtime.Time, token);
        }

        return null;
    }

    /// <summary>A ring that was sealed before, where it can be read without being held; else null.</summary>
    private async ValueTask<ISealedWal?> TryReadAsync(WalDescriptor descriptor, CancellationToken token)
    {
        if (await spaces.TryOpenToReadAsync(descriptor, token) is not { } space)
        {
            return null;
        }

        try
        {
            var ring = RingIn(space, descriptor, pool);
            if (await ReadHeaderAsync(descriptor, space, ring, token) is { IsSealed: true } header)
            {
                return new SealedRingWal(descriptor, ring, pool, header, space);
            }
        }
        catch
        {
            await space.DisposeAsync();
            throw;
        }

        await space.DisposeAsync();
        return null;
    }

    private async ValueTask<ISealedWal> SealAsync(IWalSpace space, WalDescriptor descriptor, CancellationToken token)
    {
        try
        {
            var ring = RingIn(space, descriptor, pool);

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
            return new SealedRingWal(descriptor, ring, pool, header, space);
        }
        catch
        {
            await space.DisposeAsync();
            throw;
        }
    }

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
}
