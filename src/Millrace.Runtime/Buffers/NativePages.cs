using System.ComponentModel;
using System.Runtime.InteropServices;
using Millrace.Runtime.Linux;

namespace Millrace.Runtime.Buffers;

/// <summary>
/// Page-aligned native memory that takes what it says, and that the system has again as soon as it is freed. Not the C library's: behind
/// each aligned piece it leaves nearly a page that nothing fits in, which doubles the small ones, and what is freed it keeps in an arena a
/// thread. Under load that came to more than half of the process's memory.
/// </summary>
internal static unsafe class NativePages
{
    public const int PageBytes = 4096;

    // Mappings are few to a process (65,530 as a rule): smaller pieces share them.
    private const int SmallestMapping = 64 << 10;
    private const int ReadWrite = 0x1 | 0x2;
    private const int PrivateAnonymous = 0x2 | 0x20;
    private static readonly PageSlots[] Small = [.. Enumerable.Range(1, SmallestMapping / PageBytes - 1).Select(pages => new PageSlots(pages * PageBytes))];

    /// <summary>Memory of unspecified content.</summary>
    /// <param name="bytes">A multiple of <see cref="PageBytes"/>, if it is less than a mapping.</param>
    public static byte* Allocate(int bytes) => (byte*)(bytes < SmallestMapping ? SlotsOf(bytes).Take() : Map(bytes));

    /// <param name="start">What <see cref="Allocate"/> returned.</param>
    /// <param name="bytes">What it was asked for.</param>
    public static void Free(byte* start, int bytes)
    {
        if (bytes < SmallestMapping)
        {
            SlotsOf(bytes).Give((nint)start);
        }
        else
        {
            Invariant.Check(LinuxCalls.UnmapMemory((nint)start, (nuint)bytes) == 0);
        }
    }

    internal static nint Map(int bytes)
    {
        var start = LinuxCalls.MapMemory(0, (nuint)bytes, ReadWrite, PrivateAnonymous, -1, 0);
        return start != -1
            ? start
            : throw new InsufficientMemoryException($"No {bytes} bytes of memory: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
    }

    private static PageSlots SlotsOf(int bytes)
    {
        Invariant.Check(bytes > 0 && bytes % PageBytes == 0);
        return Small[bytes / PageBytes - 1];
    }
}
