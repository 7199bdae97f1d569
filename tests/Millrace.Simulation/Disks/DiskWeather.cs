using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Disks;

/// <summary>How a machine's disk behaves for a while.</summary>
/// <param name="Latency">A typical write or sync.</param>
/// <param name="BytesPerSecond">What all reads and writes together get through.</param>
/// <param name="WriteFails">How often a write ends with EIO, done in part or not at all.</param>
/// <param name="SyncFails">How often a sync ends with EIO. What it should have made durable may be lost, and no later sync will say so.</param>
/// <param name="CallFails">How often any other call (create, link, rename, open, read, list and the like) is refused, not done.</param>
public sealed record DiskWeather(TimeSpan Latency, double BytesPerSecond, double WriteFails, double SyncFails, double CallFails)
{
    private const double Fast = double.PositiveInfinity;

    public static DiskWeather Calm { get; } = new(TimeSpan.FromMilliseconds(0.2), Fast, 0, 0, 0);

    public static DiskWeather Draw(SeededRandom random) => new(
        random.Between(TimeSpan.FromMicroseconds(50), TimeSpan.FromMilliseconds(10)),
        BytesPerSecond: random.Pick([Fast, Fast, Fast, 50e6, 1e6]),
        WriteFails: random.Pick([0, 0, 0.0005, 0.005]),
        SyncFails: random.Pick([0, 0, 0.0005, 0.005]),
        CallFails: random.Pick([0, 0, 0.0005, 0.005]));
}
