using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Simulation.Kernel;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>What a seed's WALs lie on, and how they are tuned: the same for all incarnations.</summary>
/// <param name="Name">The scenario's name.</param>
/// <param name="Create">Makes an incarnation's provider.</param>
internal sealed record WalMedium(string Name, Func<NodeRuntime, BufferPool, IObjectStorage, IWalProvider> Create)
{
    public static WalMedium DrawFile(SeededRandom random)
    {
        var options = new FileWalOptions
        {
            Capacity = random.Next(64, 257) * 4096L,
            Mode = random.Pick([WalDeviceMode.Buffered, WalDeviceMode.Direct]),
            GroupBytes = random.Pick([4 << 10, 64 << 10]),
        };
        return new("wal-file", (runtime, pool, _) => new FileWalProvider(runtime, pool, "/data/wal", options));
    }
}
