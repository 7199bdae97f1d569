using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Millrace.Runtime;

/// <summary>
/// Page-aligned native memory. Large pieces are mappings of their own, so that freeing one gives its memory back at once: the C
/// library keeps freed pieces in an arena a thread, which under load came to a third of the process's memory.
/// </summary>
internal static unsafe class NativePages
{
    private const int PageBytes = 4096;
    private const int SmallestMapping = 64 << 10;
    private const int ReadWrite = 0x1 | 0x2;
    private const int PrivateAnonymous = 0x2 | 0x20;

    /// <summary>Memory of unspecified content.</summary>
    public static byte* Allocate(int bytes)
    {
        if (bytes < SmallestMapping)
        {
            return (byte*)NativeMemory.AlignedAlloc((nuint)bytes, PageBytes);
        }

        var start = LinuxCalls.MapMemory(0, (nuint)bytes, ReadWrite, PrivateAnonymous, -1, 0);
        return start != -1 ? (byte*)start : throw new InsufficientMemoryException($"No {bytes} bytes of memory: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");
    }

    /// <param name="start">What <see cref="Allocate"/> returned.</param>
    /// <param name="bytes">What it was asked for.</param>
    public static void Free(byte* start, int bytes)
    {
        if (bytes < SmallestMapping)
        {
            NativeMemory.AlignedFree(start);
        }
        else
        {
            Invariant.Check(LinuxCalls.UnmapMemory((nint)start, (nuint)bytes) == 0);
        }
    }
}
