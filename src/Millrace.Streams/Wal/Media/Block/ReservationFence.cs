using Millrace.Runtime;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Streams.Wal.Media.Block;

/// <summary>
/// Fences by a persistent reservation: the device itself refuses the writes of all hosts but one. Processes of one host are one to the device, so that they
/// are kept apart by the host's lock.
/// </summary>
/// <remarks>
/// A registration is made where the metadata has decided who takes the device, and nowhere else: a host that has lost its reservation could have itself
/// registered again, and take it back. That a flush succeeds says nothing of it; only a write that fails does.
/// </remarks>
internal sealed class ReservationFence(NodeRuntime runtime, IDeviceFence host) : IDeviceFence
{
    private const uint WriteExclusive = 1;

    // Others that take it at the same time make a few of these fail, and no more.
    private const int Attempts = 8;

    public ValueTask<string> NameAsync(string path, FileStatus status, CancellationToken token) => status.Device switch
    {
        null => throw Unfit(path, "is no block device: only those have reservations."),
        { IsPartition: true } => throw Unfit(path, "is a partition: a reservation is of the whole device."),
        { WorldWideId: null } => throw Unfit(path, "has no name that other hosts would know it by (wwid)."),
        { WorldWideId: { } name } => new(name),
    };

    public async ValueTask<IAsyncDisposable> TakeAsync(BlockDevice device, ulong key, CancellationToken token)
    {
        var held = await host.TakeAsync(device, key, token);
        try
        {
            await ReserveAsync(device, key, token);
            return held;
        }
        catch
        {
            await held.DisposeAsync();
            throw;
        }
    }

    public bool IsFence(Exception failure) => failure is IOException { HResult: LinuxError.BadExchange };

    private async ValueTask ReserveAsync(BlockDevice device, ulong key, CancellationToken token)
    {
        await using var reservations = await runtime.Files.OpenReservationsAsync(device.Path, token);
        try
        {
            await reservations.RegisterAsync(key, token);
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                if (await reservations.ReadAsync(token) is not { } holder)
                {
                    _ = await reservations.TryReserveAsync(key, token);
                }
                else if (holder.Key != key)
                {
                    WalMessages.Preempting(runtime.Loggers, device.Path, BlockOwner.Say(holder.Key));
                    var isTaken = await reservations.TryPreemptAsync(key, holder.Key, device.Options.Aborts, token);
                    if (isTaken && !device.Options.Aborts)
                    {
                        await Task.Delay(device.Options.Settling, runtime.Time, token);
                    }
                }
                else if (holder.Type == WriteExclusive)
                {
                    return;
                }
                else
                {
                    throw new IOException(
                        $"{device.Path} is reserved by this host already, and by type {holder.Type}, which lets others write: by something that is not "
                        + $"Millrace. 'millrace wal release {device.Path}' takes that away.", LinuxError.InputOutput);
                }
            }
        }
        catch (IOException none) when (none.HResult == LinuxError.NotSupported)
        {
            throw Unfit(device.Path, $"has no persistent reservations ({none.Message}).");
        }

        throw new IOException($"{device.Path} was not to be reserved: others take it again and again", LinuxError.WouldBlock);
    }

    private static IOException Unfit(string path, string why) => new(
        $"{path} {why} Other hosts could not be kept from writing it, nor take over what it holds. If this host alone has it, say so: "
        + $"block://{path}?fence=host.", LinuxError.NotSupported);
}
