using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Scenarios.ObjectLogs;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Streams.Wal.Ring;
using Millrace.Streams.Wal.Object;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>What a seed's WALs lie on, and how they are tuned: the same for all incarnations.</summary>
/// <param name="Machines">How many machines can reach it.</param>
/// <param name="Create">Makes an incarnation's provider.</param>
internal sealed record WalMedium(int Machines, Func<NodeRuntime, BufferPool, IObjectStorage, NodeEpoch, ValueTask<IWalProvider>> Create)
{
    private const long VolumeBytes = 64 << 20;

    /// <summary>Where those that are files lie.</summary>
    public const string Folder = "/data/wal";

    /// <summary>The device that all machines have attached; null if there is none.</summary>
    public SharedVolume? Volume { get; private init; }

    public static WalMedium DrawFile(SeededRandom random)
    {
        var folder = new WalFolderOptions
        {
            Capacity = random.Next(64, 257) * 4096L,
            Mode = random.Pick([WalDeviceMode.Buffered, WalDeviceMode.Direct]),
        };
        var ring = new RingWalOptions { GroupBytes = random.Pick([4 << 10, 64 << 10]) };
        return new(1, (runtime, pool, _, _) => new(new RingWalProvider(runtime, pool, new WalFolder(runtime, Folder, folder), ring)));
    }

    public static WalMedium DrawObject(SeededRandom random, PlantedFault? fault)
    {
        var options = new ObjectWalOptions
        {
            BatchBytes = random.Pick([1 << 10, 64 << 10]),
            LongestGathering = random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(100)),
        };
        return new(random.Next(2, 4), (runtime, pool, storage, _) => new(new ObjectWalProvider(runtime, pool, storage, options)
        {
            LogAt = location => new ObjectLog(runtime, storage, location, ObjectWalProvider.LogOptions, new PlantedLogRules(fault, runtime.Random)),
        }));
    }

    public static WalMedium DrawBlock(SimulationKernel kernel, PlantedFault? fault)
    {
        var volume = new SharedVolume(kernel, VolumeBytes);

        // Where a take-over cannot abort, it waits longer than anything is on its way; unless that is the mistake.
        var device = new BlockDeviceOptions(volume.Path)
        {
            Aborts = fault is not null || kernel.Random.Chance(0.7),
            Settling = TimeSpan.FromSeconds(fault == PlantedFault.ReadEndBeforeAbort ? 0 : 2),
        };
        var ring = new RingWalOptions { GroupBytes = kernel.Random.Pick([4 << 10, 64 << 10]) };
        return new(kernel.Random.Next(2, 4), CreateAsync) { Volume = volume };

        async ValueTask<IWalProvider> CreateAsync(NodeRuntime runtime, BufferPool pool, IObjectStorage storage, NodeEpoch epoch)
        {
            var devices = new BlockDevices(runtime, pool, device, []) { Owner = new BlockOwner("simulated", new NodeIncarnation(new NodeId(1), epoch)) };
            await devices.FindAsync(CancellationToken.None);
            return new RingWalProvider(runtime, pool, new BlockMedium(devices), ring);
        }
    }
}
