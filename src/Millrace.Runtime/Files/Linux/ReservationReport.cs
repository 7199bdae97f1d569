using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Millrace.Runtime.Linux;

namespace Millrace.Runtime.Files.Linux;

/// <summary>Asks a device itself who holds it: by a command of NVMe or of SCSI, passed through the kernel.</summary>
/// <remarks>Sources: NVM Express base specification, 7.8 (Reservation Report); SPC-4, 6.16.3 (PERSISTENT RESERVE IN, READ RESERVATION).</remarks>
internal static unsafe class ReservationReport
{
    private const nuint NvmeId = 0x4E40;
    private const nuint NvmeCommand = 0xC0484E43;
    private const nuint ScsiCommand = 0x2285;
    private const int Attempts = 16;
    private const uint Milliseconds = 10_000;

    /// <exception cref="IOException">NotSupported if the device knows of no reservations.</exception>
    internal static DeviceReservation? Read(SafeFileHandle device, string path)
    {
        var descriptor = (int)device.DangerousGetHandle();
        var space = LinuxCalls.Control(descriptor, NvmeId, (void*)null);
        return space > 0 ? ReadNvme(descriptor, (uint)space, path) : ReadScsi(descriptor, path);
    }

    private static DeviceReservation? ReadNvme(int descriptor, uint space, string path)
    {
        // A head of 64 bytes, and as many for each host that is registered.
        Span<byte> report = stackalloc byte[4096];
        report.Clear();
        fixed (byte* data = report)
        {
            var command = new NvmePassed
            {
                Operation = 0x0E, Space = space, Data = (ulong)data, DataLength = (uint)report.Length,
                Dword10 = (uint)report.Length / 4 - 1, Dword11 = 1, TimeoutMs = Milliseconds,
            };
            var status = LinuxCalls.Control(descriptor, NvmeCommand, &command);
            var error = Marshal.GetLastPInvokeError();
            if (status != 0)
            {
                throw Refusal(status, error, path);
            }
        }

        uint type = report[4];
        var hosts = Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(report[5..]), report.Length / 64 - 1);
        for (var i = 1; i <= hosts && type != 0; i++)
        {
            var host = report.Slice(i * 64, 64);
            if ((host[2] & 1) != 0)
            {
                return new DeviceReservation(BinaryPrimitives.ReadUInt64LittleEndian(host[8..]), type);
            }
        }

        return type == 0 ? null : new DeviceReservation(0, type);
    }

    private static DeviceReservation? ReadScsi(int descriptor, string path)
    {
        Span<byte> answer = stackalloc byte[24];
        Span<byte> sense = stackalloc byte[32];
        ReadOnlySpan<byte> command = [0x5E, 0x01, 0, 0, 0, 0, 0, 0, (byte)answer.Length, 0];
        fixed (byte* data = answer, senseData = sense, bytes = command)
        {
            for (var attempt = 1; ; attempt++)
            {
                answer.Clear();
                var passed = new ScsiPassed
                {
                    Interface = 'S', Direction = -3, CommandLength = (byte)command.Length, SenseLength = (byte)sense.Length,
                    DataLength = (uint)answer.Length, Data = data, Command = bytes, Sense = senseData, TimeoutMs = Milliseconds,
                };
                var status = LinuxCalls.Control(descriptor, ScsiCommand, &passed);
                var error = Marshal.GetLastPInvokeError();
                if (status != 0)
                {
                    throw Refusal(status, error, path);
                }

                if (passed.Status == 0 && passed.HostStatus == 0)
                {
                    break;
                }

                // What another host has done is told once, in place of an answer.
                if (attempt == Attempts)
                {
                    throw Refusal(passed.Status, 0, path);
                }
            }
        }

        return BinaryPrimitives.ReadUInt32BigEndian(answer[4..]) < 16
            ? null
            : new DeviceReservation(BinaryPrimitives.ReadUInt64BigEndian(answer[8..]), TypeOf(answer[21] & 0xF));
    }

    /// <summary>Linux's number for SCSI's.</summary>
    private static uint TypeOf(int scsi) => scsi switch { 1 => 1, 3 => 2, 5 => 3, 6 => 4, 7 => 5, 8 => 6, _ => 0 };

    private static IOException Refusal(int status, int error, string path) => status < 0 && error is not LinuxError.NotPermitted and not LinuxError.AccessDenied
        ? LinuxError.ToException(LinuxError.NotSupported, "read the reservation of", path)
        : status < 0 ? LinuxError.ToException(error, "read the reservation of", path)
        : new IOException($"{path} does not say who holds it: status 0x{status:x}", LinuxError.NotSupported);

    /// <summary>The kernel's <c>struct nvme_passthru_cmd</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    private struct NvmePassed
    {
        [FieldOffset(0)] public byte Operation;
        [FieldOffset(4)] public uint Space;
        [FieldOffset(24)] public ulong Data;
        [FieldOffset(36)] public uint DataLength;
        [FieldOffset(40)] public uint Dword10;
        [FieldOffset(44)] public uint Dword11;
        [FieldOffset(64)] public uint TimeoutMs;
    }

    /// <summary>The kernel's <c>struct sg_io_hdr</c>.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 88)]
    private struct ScsiPassed
    {
        [FieldOffset(0)] public int Interface;
        [FieldOffset(4)] public int Direction;
        [FieldOffset(8)] public byte CommandLength;
        [FieldOffset(9)] public byte SenseLength;
        [FieldOffset(12)] public uint DataLength;
        [FieldOffset(16)] public byte* Data;
        [FieldOffset(24)] public byte* Command;
        [FieldOffset(32)] public byte* Sense;
        [FieldOffset(40)] public uint TimeoutMs;
        [FieldOffset(64)] public byte Status;
        [FieldOffset(68)] public ushort HostStatus;
    }
}
