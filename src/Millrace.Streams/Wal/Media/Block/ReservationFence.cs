using Millrace.Runtime;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams.Registry;

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

    // Longer than a host lets a write take: an abort waits for what it cannot stop.
    private static readonly TimeSpan PreemptLimit = TimeSpan.FromSeconds(60);

    public async ValueTask<string> NameAsync(string path, FileStatus status, CancellationToken token)
    {
        var why = status.Device switch
        {
            null => "is no block device: only those have reservations.",
            { IsPartition: true } => "is a partition: a reservation is of the whole device.",
            { WorldWideId: null } => "has no name that other hosts would know it by (wwid).",
            _ => null,
        };
        if (why is not null)
        {
            throw Unfit(path, why);
        }

        // Who cannot ask for the holder cannot take its place either.
        await using var reservations = await runtime.Files.OpenReservationsAsync(path, token);
        try
        {
            _ = await reservations.ReadAsync(token);
        }
        catch (IOException none) when (none.HResult == LinuxError.NotSupported)
        {
            throw Unfit(path, $"has no persistent reservations ({none.Message}).");
        }

        return status.Device!.WorldWideId!;
    }

    public async ValueTask<IAsyncDisposable> TakeAsync(BlockDevice device, ulong key, ulong? writer, CancellationToken token)
    {
        var held = await host.TakeAsync(device, key, writer, token);
        try
        {
            if (!await ReserveAsync(device, key, writer, token))
            {
                await Task.Delay(device.Options.Settling, runtime.Time, token);
            }

            return held;
        }
        catch
        {
            await held.DisposeAsync();
            throw;
        }
    }

    public async ValueTask<NodeIncarnation?> FindTakerAsync(BlockDevice device, ulong key, ulong writer, CancellationToken token)
    {
        await using var reservations = await runtime.Files.OpenReservationsAsync(device.Path, token);
        return await reservations.ReadAsync(token) is { } holder && !BlockOwner.AreOfOneNode(holder.Key, key) && !BlockOwner.AreOfOneNode(holder.Key, writer)
            ? BlockOwner.Of(holder.Key)
            : null;
    }

    public bool IsFence(Exception failure) => failure is IOException { HResult: LinuxError.BadExchange };

    /// <returns>
    /// Whether it is certain that nothing is on its way from the writer any more. Else it was not this call that took its place, as where an earlier one was
    /// cut short.
    /// </returns>
    private async ValueTask<bool> ReserveAsync(BlockDevice device, ulong key, ulong? writer, CancellationToken token)
    {
        await using var reservations = await runtime.Files.OpenReservationsAsync(device.Path, token);

        // Before this host's own key takes the place of one that it had: if that is the writer's, it wrote here, and its process is dead.
        var former = await reservations.ReadAsync(token);
        await reservations.RegisterAsync(key, token);
        var isCertain = writer is null;
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var holder = await reservations.ReadAsync(token);
            if (holder is null)
            {
                _ = await reservations.TryReserveAsync(key, token);
            }
            else if (holder.Value.Key != key)
            {
                var isTaken = await PreemptAsync(reservations, device, key, holder.Value.Key, writer is null, token);
                var isAborted = isTaken && device.Options.Aborts;

                // What is on its way to where a WAL is to be made would land over it.
                isCertain = writer is null ? isCertain && (isAborted || !isTaken) : isCertain || (isAborted && holder.Value.Key == writer);
            }
            else if (holder.Value.Type == WriteExclusive)
            {
                return isCertain || (attempt == 0 && former?.Key == writer);
            }
            else
            {
                throw new IOException(
                    $"{device.Path} is reserved by this host already, and by type {holder.Value.Type}, which lets others write: by something that is not "
                    + $"Millrace. 'millrace wal release {device.Path}' takes that away.", LinuxError.InputOutput);
            }
        }

        throw new IOException($"{device.Path} was not to be reserved: others take it again and again", LinuxError.WouldBlock);
    }

    private async Task<bool> PreemptAsync(
        IDeviceReservations reservations, BlockDevice device, ulong key, ulong holder, bool isForWriting, CancellationToken token)
    {
        if (isForWriting && BlockOwner.IsLaterOf(holder, key))
        {
            // This incarnation was fenced, and has slept since.
            throw new IOException($"{device.Path} is held by a later incarnation of this node", LinuxError.BadExchange);
        }

        WalMessages.Preempting(runtime.Loggers, device.Path, BlockOwner.Say(holder));
        try
        {
            return await reservations.TryPreemptAsync(key, holder, device.Options.Aborts, token).AsTask().WaitAsync(PreemptLimit, runtime.Time, token);
        }
        catch (TimeoutException)
        {
            throw new IOException(
                $"{device.Path} has not aborted what {BlockOwner.Say(holder)} had on its way within {PreemptLimit.TotalSeconds} s. "
                + "If it cannot, say so: ?abort=false", LinuxError.InputOutput);
        }
    }

    private static IOException Unfit(string path, string why) => new(
        $"{path} {why} Other hosts could not be kept from writing it, nor take over what it holds. If this host alone has it, say so: "
        + $"block://{path}?fence=host.", LinuxError.NotSupported);
}
