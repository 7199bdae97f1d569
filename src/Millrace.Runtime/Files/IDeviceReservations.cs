namespace Millrace.Runtime.Files;

/// <summary>
/// Persistent reservations of a block device, of type 1: write exclusive. One host holds the device, by a key; only its writes are accepted, and all
/// others read.
/// </summary>
/// <remarks>
/// A registration and a reservation belong to a host (NVMe: its host id; SCSI: its path to the device), not to a process, and outlive it. Whoever takes
/// one over has every write refused that its former holder sends from then on, with errno 52 (EBADE). Threading: one call at a time. Errors: an
/// <see cref="IOException"/> whose HResult is <see cref="Linux.LinuxError.NotSupported"/> where the device, or the way to it, has no reservations; other
/// refusals have their errno, or <see cref="Linux.LinuxError.InputOutput"/> and the device's status in the message. Source: Linux's
/// <c>include/uapi/linux/pr.h</c>, SPC-4 5.13, NVM Express base specification 8.19.
/// </remarks>
public interface IDeviceReservations : IAsyncDisposable
{
    /// <summary>Makes this host known to the device by a key, in place of any that it had.</summary>
    ValueTask RegisterAsync(ulong key, CancellationToken token);

    /// <summary>Who holds the device; null if nobody does.</summary>
    ValueTask<DeviceReservation?> ReadAsync(CancellationToken token);

    /// <summary>Takes hold of a device that nobody holds. False if another was quicker.</summary>
    /// <param name="key">The one that this host is registered by.</param>
    /// <param name="token">Ends the wait.</param>
    ValueTask<bool> TryReserveAsync(ulong key, CancellationToken token);

    /// <summary>
    /// Takes hold in another's place. Its writes that are on their way are aborted, or have landed, when this returns. False if that one holds it no more.
    /// </summary>
    /// <param name="key">The one that this host is registered by.</param>
    /// <param name="holder">The other's.</param>
    /// <param name="aborts">False leaves writes on their way alone: they may land later. For devices that cannot abort.</param>
    /// <param name="token">Ends the wait.</param>
    ValueTask<bool> TryPreemptAsync(ulong key, ulong holder, bool aborts, CancellationToken token);

    /// <summary>Takes the reservation and all registrations away.</summary>
    ValueTask ClearAsync(ulong key, CancellationToken token);
}
