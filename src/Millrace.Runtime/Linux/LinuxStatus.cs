using System.Runtime.InteropServices;

namespace Millrace.Runtime.Linux;

/// <summary>The kernel's <c>struct statx</c>, as far as it is used here.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct LinuxStatus
{
    /// <summary>Everything that the basic stat has, and the time of birth.</summary>
    public const uint Wanted = 0xFFF;

    /// <summary>Says in <see cref="Mask"/> that the file system keeps the time of birth.</summary>
    public const uint HasBirth = 0x800;

    [FieldOffset(0)] public uint Mask;
    [FieldOffset(16)] public uint LinkCount;
    [FieldOffset(28)] public ushort Mode;
    [FieldOffset(32)] public ulong Inode;
    [FieldOffset(40)] public ulong Length;
    [FieldOffset(80)] public long BirthSeconds;
    [FieldOffset(88)] public uint BirthNanoseconds;
    [FieldOffset(128)] public uint DeviceMajor;
    [FieldOffset(132)] public uint DeviceMinor;

    public readonly bool IsDirectory => (Mode & 0xF000) == 0x4000;

    public readonly bool IsBlockDevice => (Mode & 0xF000) == 0x6000;
}
