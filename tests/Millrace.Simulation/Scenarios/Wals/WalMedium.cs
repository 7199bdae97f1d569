using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Scenarios.ObjectLogs;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;
using Millrace.Streams.Wal.Object;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>What a seed's WALs lie on, and how they are tuned: the same for all incarnations.</summary>
/// <param name="Machines">How many machines can reach it.</param>
/// <param name="Create">Makes an incarnation's provider.</param>
internal sealed record WalMedium(int Machines, Func<NodeRuntime, BufferPool, IObjectStorage, IWalProvider> Create)
{
    /// <summary>Where those that are files lie.</summary>
    public const string Folder = "/data/wal";

    public static WalMedium DrawFile(SeededRandom random)
    {
        var folder = new WalFolderOptions
        {
            Capacity = random.Next(64, 257) * 4096L,
            Mode = random.Pick([WalDeviceMode.Buffered, WalDeviceMode.Direct]),
        };
        var ring = new RingWalOptions { GroupBytes = random.Pick([4 << 10, 64 << 10]) };
        return new(1, (runtime, pool, _) => new RingWalProvider(runtime, pool, new WalFolder(runtime, Folder, folder), ring));
    }

    public static WalMedium DrawObject(SeededRandom random, PlantedFault? fault)
    {
        var options = new ObjectWalOptions
        {
            BatchBytes = random.Pick([1 << 10, 64 << 10]),
            LongestGathering = random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(100)),
        };
        return new(random.Next(2, 4), (runtime, pool, storage) => new ObjectWalProvider(runtime, pool, storage, options)
        {
            LogAt = location => new ObjectLog(runtime, storage, location, ObjectWalProvider.LogOptions, new PlantedLogRules(fault, runtime.Random)),
        });
    }
}
