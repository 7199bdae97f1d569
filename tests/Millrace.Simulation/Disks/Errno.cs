namespace Millrace.Simulation.Disks;

/// <summary>Errors as the kernel of a real machine would number them.</summary>
internal static class Errno
{
    private const int NoEntry = 2;
    private const int InputOutput = 5;
    private const int Exists = 17;

    public static IOException NoSuchFile(string path) => new($"{path}: no such file or directory", NoEntry);

    public static IOException AlreadyExists(string path) => new($"{path}: the file exists", Exists);

    public static IOException DeviceError(string what) => new($"{what}: input/output error", InputOutput);
}
