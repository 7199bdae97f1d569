using System.Runtime.InteropServices;

namespace Millrace.Runtime.Linux;

/// <summary>
/// The machine's time. Timestamps count the time that the machine is suspended, too, which those of .NET do not: leases and sessions are judged by them,
/// and to the rest of the cluster a machine that sleeps is silent.
/// </summary>
/// <remarks>Wall clock and timers are those of .NET: a timer is late by the time that the machine slept. Threading: any thread.</remarks>
public sealed class MachineTime : TimeProvider
{
    // CLOCK_BOOTTIME. CLOCK_MONOTONIC, which .NET takes, stands still during a suspension.
    private const int BootTime = 7;
    private const long NanosecondsPerSecond = 1_000_000_000;

    private MachineTime()
    {
    }

    public static MachineTime Instance { get; } = new();

    public override long TimestampFrequency => NanosecondsPerSecond;

    public override long GetTimestamp()
    {
        // Cannot fail: every Linux that .NET runs on has this clock.
        _ = LinuxCalls.ReadClock(BootTime, out var now);
        return now.Seconds * NanosecondsPerSecond + now.Nanoseconds;
    }

    /// <summary>As <c>clock_gettime</c> has it on 64 bits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly struct Reading
    {
        public readonly long Seconds;
        public readonly long Nanoseconds;
    }
}
