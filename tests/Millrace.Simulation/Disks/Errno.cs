using Millrace.Runtime.Files.Linux;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Disks;

/// <summary>Errors as the kernel of a real machine would number them.</summary>
internal static class Errno
{
    private const int NoDescriptor = 24;

    public static IOException NoSuchFile(string path) => new($"{path}: no such file or directory", LinuxError.NoEntry);

    public static IOException AlreadyExists(string path) => new($"{path}: the file exists", LinuxError.Exists);

    public static IOException DeviceError(string what) => new($"{what}: input/output error", LinuxError.InputOutput);

    public static IOException NoSpace(string path) => new($"{path}: no space left on device", LinuxError.NoSpace);

    /// <summary>Why a call may be refused out of the blue.</summary>
    public static IOException Any(SeededRandom random, string path) => random.Next(10) switch
    {
        < 5 => DeviceError(path),
        < 9 => new($"{path}: too many open files", NoDescriptor),
        _ => new($"{path}: permission denied", LinuxError.AccessDenied),
    };
}
