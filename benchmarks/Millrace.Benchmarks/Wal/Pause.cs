using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Millrace.Benchmarks.Wal;

/// <summary>Waits shorter than a millisecond, which the framework's sleep rounds.</summary>
internal static unsafe partial class Pause
{
    public static void For(TimeSpan time)
    {
        if (time > TimeSpan.Zero)
        {
            var left = stackalloc long[] { (long)time.TotalSeconds, time.Ticks % TimeSpan.TicksPerSecond * 100 };
            _ = Sleep(left, null);
        }
    }

    /// <param name="timestamp">Of <see cref="Stopwatch"/>.</param>
    public static void Until(long timestamp) => For(Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), timestamp));

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int Sleep(long* time, long* left);
}
