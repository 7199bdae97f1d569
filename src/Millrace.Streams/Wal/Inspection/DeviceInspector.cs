using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Streams.Wal.Ring;

namespace Millrace.Streams.Wal.Inspection;

/// <summary>Looks at a device that may hold WALs, empties it, and takes its reservations away, for an operator and without a cluster.</summary>
/// <remarks>Threading: one call at a time. Errors: <see cref="IOException"/> and <see cref="UnauthorizedAccessException"/>, as the system refuses.</remarks>
/// <param name="runtime">Its files are the devices.</param>
/// <param name="pool">Lends the buffers.</param>
/// <param name="path">The device, or a file in its place.</param>
public sealed class DeviceInspector(NodeRuntime runtime, BufferPool pool, string path)
{
    // No node's.
    private const ulong OperatorsKey = ulong.MaxValue >> 8;

    private readonly IFileSystem _files = runtime.Files;

    /// <summary>Reads what is there, past whoever writes it.</summary>
    public async Task<DeviceInspection> InspectAsync(CancellationToken token)
    {
        var status = await StatusAsync(token);
        var (hasReservations, holder) = status.Device is null ? (false, null) : await ReadHolderAsync(token);
        await using var device = await _files.OpenDeviceAsync(path, 0, WalDeviceMode.Direct, token);
        var sector = new LabelSector(device, pool);
        var (label, format) = await sector.ReadAsync(token);
        var content = label is not null ? DeviceContent.Wals
            : format is not null ? DeviceContent.UnreadableLabel
            : await sector.IsBlankAsync(token) ? DeviceContent.Nothing
            : DeviceContent.SomethingElse;
        var wals = new List<FoundWal>();
        for (var half = 0; half < BlockLayout.Halves && label is not null; half++)
        {
            if (await ReadHeaderAsync(device, BlockLayout.PartOf(label.Capacity, half).Start, token) is { } header)
            {
                wals.Add(new FoundWal(header.Id, half, header.Node, header.Epoch, header.IsSealed));
            }
        }

        return new(path, status.Length, status.Device, holder, hasReservations, content, label?.Cluster, label?.Node, wals);
    }

    /// <summary>Empties it: whatever it holds is not to be found again, and the next broker that names it takes it.</summary>
    /// <exception cref="IOException">A living process of this host holds it, or another host has it reserved.</exception>
    public async Task FormatAsync(CancellationToken token)
    {
        var capacity = (await StatusAsync(token)).Length;
        await using var hold = await _files.TryLockAsync(path, token)
            ?? throw new IOException($"{path} is held by a living process of this host: stop that first", LinuxError.WouldBlock);
        await using var device = await _files.OpenDeviceAsync(path, 0, WalDeviceMode.Direct, token);
        var label = (await new LabelSector(device, pool).ReadAsync(token)).Label;
        var zeros = pool.Rent((int)Math.Min(BlockLayout.Start, device.Capacity));
        try
        {
            zeros.Memory.Span.Clear();
            for (var half = 0; half < BlockLayout.Halves; half++)
            {
                var (start, length) = BlockLayout.PartOf(Math.Min(label?.Capacity ?? capacity, capacity), half);
                if (length >= RingFormat.RingStart)
                {
                    await device.WriteAsync(start, [zeros.Memory[..(int)RingFormat.RingStart]], token);
                }
            }

            // The label last: while it stands, what was not emptied yet is found by another attempt.
            await device.FlushAsync(token);
            await device.WriteAsync(0, [zeros.Memory], token);
            await device.FlushAsync(token);
        }
        catch (IOException refused) when (refused.HResult == LinuxError.BadExchange)
        {
            throw new IOException($"Another host has {path} reserved, and may be writing it: stop that, or 'millrace wal release {path}'", refused.HResult);
        }
        finally
        {
            zeros.Release();
        }
    }

    /// <summary>Takes all reservations of it away. Whoever holds it is not kept from writing any more, nor anybody else.</summary>
    /// <exception cref="IOException">NotSupported: it has none.</exception>
    public async Task ReleaseAsync(CancellationToken token)
    {
        await StatusAsync(token);
        await using var reservations = await _files.OpenReservationsAsync(path, token);
        await reservations.RegisterAsync(OperatorsKey, token);
        await reservations.ClearAsync(OperatorsKey, token);
    }

    private async Task<FileStatus> StatusAsync(CancellationToken token) =>
        await _files.GetStatusAsync(path, token) is { IsDirectory: false, Length: >= BlockLabel.Sector } status
            ? status
            : throw new IOException($"{path} is no device, nor a file in the place of one of at least {BlockLabel.Sector} bytes", LinuxError.NoEntry);

    private async Task<(bool? HasReservations, string? Holder)> ReadHolderAsync(CancellationToken token)
    {
        try
        {
            await using var reservations = await _files.OpenReservationsAsync(path, token);
            return (true, await reservations.ReadAsync(token) is { } holder ? BlockOwner.Say(holder.Key) : null);
        }
        catch (IOException refused) when (refused.HResult is LinuxError.NotSupported)
        {
            return (false, null);
        }
        catch (IOException refused) when (refused.HResult is LinuxError.NotPermitted or LinuxError.AccessDenied)
        {
            return (null, null);
        }
    }

    private async Task<RingHeader?> ReadHeaderAsync(IWalDevice device, long start, CancellationToken token)
    {
        var sectors = pool.Rent((int)RingFormat.RingStart);
        try
        {
            await device.ReadAsync(start, sectors.Memory, token);
            return RingHeader.Newest(sectors.Memory.Span, wal: null);
        }
        finally
        {
            sectors.Release();
        }
    }
}
