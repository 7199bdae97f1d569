using Xunit;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>What a test runs over.</summary>
public static class RingMedia
{
    public static TheoryData<RingMedium> All => [.. Enum.GetValues<RingMedium>()];

    public static TheoryData<RingMedium> Files => [RingMedium.BufferedFile, RingMedium.DirectFile];

    /// <summary>Those that are formatted as a block device is.</summary>
    public static TheoryData<RingMedium> Devices => [RingMedium.FileForDevice, RingMedium.DeviceOf512ByteSectors, RingMedium.DeviceOf4096ByteSectors];
}
