using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Millrace.Runtime.Linux;

namespace Millrace.Runtime.Files.Linux;

/// <summary>Persistent reservations by Linux's own calls (IOC_PR_*), which are the same for NVMe and SCSI.</summary>
/// <remarks>
/// They return the device's status, above zero, where it refuses, and leave the errno alone. Older kernels have no call for who holds the device:
/// <see cref="ReservationReport"/> asks the device itself there.
/// </remarks>
internal sealed unsafe class LinuxReservations(LinuxFileSystem files, SafeFileHandle device, string path) : IDeviceReservations
{
    private const nuint Register = 0x401870C8;
    private const nuint Reserve = 0x401070C9;
    private const nuint Preempt = 0x401870CB;
    private const nuint PreemptAndAbort = 0x401870CC;
    private const nuint Clear = 0x401070CD;
    private const nuint ReadReservation = 0x801070CF;
    private const uint WriteExclusive = 1;
    private const uint IgnoreKey = 1;

    // Low bytes of a status: SCSI's, as newer kernels have NVMe's, too; and NVMe's own.
    private const int CheckCondition = 0x02;
    private const int ScsiConflict = 0x18;
    private const int NvmeConflict = 0x83;

    // A device tells each host once of what another has done, in place of doing what it was asked for.
    private const int Attempts = 16;

    public ValueTask RegisterAsync(ulong key, CancellationToken token) => new(files.RunAsync(
        () =>
        {
            // What is replaced must not be nothing: NVMe would take the call for a first registration, and refuse it where there is one.
            var registration = new Registration { Old = 1, New = key, Flags = IgnoreKey };
            var status = Call(Register, &registration, "IOC_PR_REGISTER");
            if (status != 0)
            {
                // Where there is none, some devices refuse to replace it.
                var first = new Registration { New = key };
                Require(Call(Register, &first, "IOC_PR_REGISTER"), "register");
            }
        },
        token));

    public ValueTask<DeviceReservation?> ReadAsync(CancellationToken token) => new(files.RunAsync(
        () =>
        {
            var held = default(Held);
            var status = TryCall(ReadReservation, &held, out var error);
            return status == 0 ? held.Type == 0 ? null : new DeviceReservation(held.Key, held.Type)
                : status < 0 && error is LinuxError.Invalid or LinuxError.NoSuchControl or LinuxError.NotSupported
                ? ReservationReport.Read(device, path)
                : throw Refusal(status, error, "read the reservation");
        },
        token));

    public ValueTask<bool> TryReserveAsync(ulong key, CancellationToken token) => new(files.RunAsync(
        () =>
        {
            var reservation = new Reservation { Key = key, Type = WriteExclusive };
            return IsDone(Call(Reserve, &reservation, "IOC_PR_RESERVE"), "reserve");
        },
        token));

    public ValueTask<bool> TryPreemptAsync(ulong key, ulong holder, bool aborts, CancellationToken token) => new(files.RunAsync(
        () =>
        {
            // The caller's key is the old one and the victim's the new one, whatever these names say.
            var preemption = new Preemption { Old = key, New = holder, Type = WriteExclusive };
            return IsDone(Call(aborts ? PreemptAndAbort : Preempt, &preemption, "IOC_PR_PREEMPT"), "preempt");
        },
        token));

    public ValueTask ClearAsync(ulong key, CancellationToken token) => new(files.RunAsync(
        () =>
        {
            var clearing = new Reservation { Key = key };
            Require(Call(Clear, &clearing, "IOC_PR_CLEAR"), "clear");
        },
        token));

    public ValueTask DisposeAsync()
    {
        device.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <returns>The device's status: 0 if it did what it was asked for.</returns>
    private int Call(nuint request, void* argument, string name)
    {
        var status = TryCall(request, argument, out var error);
        return status >= 0 ? status : throw LinuxError.ToException(error == LinuxError.NoSuchControl ? LinuxError.NotSupported : error, name, path);
    }

    private int TryCall(nuint request, void* argument, out int error)
    {
        var attempt = 0;
        while (true)
        {
            var status = LinuxCalls.Control((int)device.DangerousGetHandle(), request, argument);
            error = Marshal.GetLastPInvokeError();
            var again = status < 0 ? error == LinuxError.Interrupted : (status & 0xFF) == CheckCondition;
            if (!again || ++attempt == Attempts)
            {
                return status;
            }
        }
    }

    private bool IsDone(int status, string what) => status == 0 || (IsConflict(status) ? false : throw Refusal(status, 0, what));

    private void Require(int status, string what)
    {
        if (status != 0)
        {
            throw Refusal(status, 0, what);
        }
    }

    private static bool IsConflict(int status) => (status & 0xFF) is ScsiConflict or NvmeConflict;

    private IOException Refusal(int status, int error, string what) => status < 0
        ? LinuxError.ToException(error, what, path)
        : new IOException($"{path} refuses to {what}: status 0x{status:x}{(IsConflict(status) ? ", a reservation conflict" : "")}", LinuxError.InputOutput);

    private struct Registration
    {
        public ulong Old;
        public ulong New;
        public uint Flags;
        public uint Zero;
    }

    private struct Reservation
    {
        public ulong Key;
        public uint Type;
        public uint Flags;
    }

    private struct Preemption
    {
        public ulong Old;
        public ulong New;
        public uint Type;
        public uint Flags;
    }

    private struct Held
    {
        public ulong Key;
        public uint Generation;
        public uint Type;
    }
}
