using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Disks;

/// <summary>How a machine's disk behaves for a while.</summary>
/// <param name="Latency">A typical write or sync.</param>
/// <param name="WriteFails">How often a write ends with EIO, done in part or not at all.</param>
/// <param name="SyncFails">How often a sync ends with EIO. What it should have made durable may be lost, and no later sync will say so.</param>
public sealed record DiskWeather(TimeSpan Latency, double WriteFails, double SyncFails)
{
    public static DiskWeather Calm { get; } = new(TimeSpan.FromMilliseconds(0.2), 0, 0);

    public static DiskWeather Draw(SeededRandom random) => new(
        random.Between(TimeSpan.FromMicroseconds(50), TimeSpan.FromMilliseconds(10)),
        WriteFails: random.Pick([0, 0, 0.0005, 0.005]),
        SyncFails: random.Pick([0, 0, 0.0005, 0.005]));
}
