using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Millrace.Runtime.Linux;

namespace Millrace.Runtime.Files.Linux;

/// <summary>Blocking file operations whose errors are all reported, as <see cref="IOException"/> with the errno as HResult.</summary>
internal static class LinuxFile
{
    internal const int ReadOnly = 0;
    internal const int ReadWrite = 2;
    internal const int Create = 0x40;
    internal const int Exclusive = 0x80;
    internal const int Truncate = 0x200;

    /// <summary>What position, length and address of a direct read or write are multiples of: no disk in use asks for more.</summary>
    internal const int Sector = 4096;

    private const int CloseOnExec = 0x80000;
    private const int LockExclusive = 2;
    private const int LockWithoutWaiting = 4;
    private const int LockRelease = 8;
    private const int SetStatusFlags = 4;
    private const int CurrentDirectory = -100;
    private const nuint BlockDeviceSize = 0x80081272;
    private const nuint LogicalSectorSize = 0x1268;
    private const nuint PhysicalSectorSize = 0x127B;

    // The two flags have each other's number on the two architectures.
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    internal static int Direct => IsArm ? 0x10000 : 0x4000;

    internal static int DirectoryOnly => IsArm ? 0x4000 : 0x10000;

    /// <summary>Null if there is no such file.</summary>
    internal static SafeFileHandle? TryOpen(string path, int flags)
    {
        while (true)
        {
            var descriptor = LinuxCalls.Open(path, flags | CloseOnExec, 0x1A4 /* rw-r--r-- */);
            var error = Marshal.GetLastPInvokeError();
            if (descriptor >= 0)
            {
                return new SafeFileHandle(descriptor, ownsHandle: true);
            }

            if (error is LinuxError.NoEntry or LinuxError.NotDirectory)
            {
                return null;
            }

            if (error != LinuxError.Interrupted)
            {
                throw LinuxError.ToException(error, "open", path);
            }
        }
    }

    internal static SafeFileHandle Open(string path, int flags) =>
        TryOpen(path, flags) ?? throw LinuxError.ToException(LinuxError.NoEntry, "open", path);

    internal static void Sync(SafeFileHandle file, string path) => Check(LinuxCalls.Sync(Descriptor(file)), "fsync", path);

    /// <summary>Makes the bytes durable, and of the metadata only what finding them needs.</summary>
    internal static void SyncData(SafeFileHandle file, string path) => Check(LinuxCalls.SyncData(Descriptor(file)), "fdatasync", path);

    internal static void SyncDirectory(string path)
    {
        using var directory = Open(path, ReadOnly | DirectoryOnly);
        Sync(directory, path);
    }

    /// <summary>False if the file system cannot reserve space; it then has to be written.</summary>
    internal static bool TryAllocate(SafeFileHandle file, long length, string path)
    {
        var result = LinuxCalls.Allocate(Descriptor(file), 0, 0, length);
        var error = Marshal.GetLastPInvokeError();
        return result == 0 || (error == LinuxError.NotSupported ? false : throw LinuxError.ToException(error, "fallocate", path));
    }

    /// <summary>Makes the reads and writes that follow go past the page cache, or through it again. False if the file system has no such way.</summary>
    internal static bool TrySetDirect(SafeFileHandle file, bool direct, string path)
    {
        var result = LinuxCalls.SetFlags(Descriptor(file), SetStatusFlags, direct ? Direct : 0);
        var error = Marshal.GetLastPInvokeError();
        return result == 0
            || (error is LinuxError.Invalid or LinuxError.NotSupported ? false : throw LinuxError.ToException(error, "fcntl F_SETFL", path));
    }

    internal static bool TryLock(SafeFileHandle file, string path)
    {
        var result = LinuxCalls.Lock(Descriptor(file), LockExclusive | LockWithoutWaiting);
        var error = Marshal.GetLastPInvokeError();
        return result == 0 || (error == LinuxError.WouldBlock ? false : throw LinuxError.ToException(error, "flock", path));
    }

    /// <summary>Releases at once: closing alone would leave the lock with a child process that is between its fork and its exec.</summary>
    internal static void Unlock(SafeFileHandle file, string path) => Check(LinuxCalls.Lock(Descriptor(file), LockRelease), "flock", path);

    internal static bool TryLink(string existing, string created)
    {
        var result = LinuxCalls.Link(existing, created);
        var error = Marshal.GetLastPInvokeError();
        return result == 0 || (error == LinuxError.Exists ? false : throw LinuxError.ToException(error, "link", created));
    }

    internal static void Rename(string from, string to) => Check(LinuxCalls.Rename(from, to), "rename", from);

    internal static bool TryDelete(string path)
    {
        var result = LinuxCalls.Unlink(path);
        var error = Marshal.GetLastPInvokeError();
        return result == 0
            || (error is LinuxError.NoEntry or LinuxError.NotDirectory ? false : throw LinuxError.ToException(error, "unlink", path));
    }

    internal static bool TryDeleteDirectory(string path)
    {
        var result = LinuxCalls.RemoveDirectory(path);
        var error = Marshal.GetLastPInvokeError();
        return result == 0
            || (error is LinuxError.NoEntry or LinuxError.NotEmpty or LinuxError.Exists ? false : throw LinuxError.ToException(error, "rmdir", path));
    }

    /// <summary>False if it is there already.</summary>
    internal static bool TryMakeDirectory(string path)
    {
        var result = LinuxCalls.MakeDirectory(path, 0x1ED /* rwxr-xr-x */);
        var error = Marshal.GetLastPInvokeError();
        return result == 0 || (error == LinuxError.Exists ? false : throw LinuxError.ToException(error, "mkdir", path));
    }

    /// <summary>Null if there is no such file.</summary>
    internal static LinuxStatus? TryGetStatus(string path)
    {
        var status = default(LinuxStatus);
        var result = LinuxCalls.Status(CurrentDirectory, path, 0, LinuxStatus.Wanted, ref status);
        var error = Marshal.GetLastPInvokeError();
        return result == 0 ? status
            : error is LinuxError.NoEntry or LinuxError.NotDirectory ? null
            : throw LinuxError.ToException(error, "statx", path);
    }

    internal static long GetBlockDeviceSize(SafeFileHandle device, string path)
    {
        Check(LinuxCalls.Control(Descriptor(device), BlockDeviceSize, out var size), "ioctl BLKGETSIZE64", path);
        return (long)size;
    }

    /// <summary>Bytes of a sector, as the device is addressed and as its medium writes.</summary>
    internal static (int Logical, int Physical) GetSectors(SafeFileHandle device, string path)
    {
        Check(LinuxCalls.Control(Descriptor(device), LogicalSectorSize, out var logical), "ioctl BLKSSZGET", path);
        Check(LinuxCalls.Control(Descriptor(device), PhysicalSectorSize, out var physical), "ioctl BLKPBSZGET", path);
        return ((int)logical, (int)physical);
    }

    private static int Descriptor(SafeFileHandle file) => (int)file.DangerousGetHandle();

    private static void Check(int result, string operation, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        if (result != 0)
        {
            throw LinuxError.ToException(error, operation, path);
        }
    }
}
