namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>What a ring may lie on.</summary>
public enum RingMedium
{
    BufferedFile,
    DirectFile,

    /// <summary>In the place of a block device.</summary>
    FileForDevice,
    DeviceOf512ByteSectors,
    DeviceOf4096ByteSectors,
}
