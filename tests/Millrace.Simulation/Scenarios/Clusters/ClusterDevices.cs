using Millrace.Runtime.Files;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Streams.Wal.Media.Block;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>A block device for each of a cluster's machines, with persistent reservations; and who of the others has it attached, too.</summary>
internal sealed class ClusterDevices
{
    private const long Bytes = 64 << 20;

    private readonly SharedVolume[] _volumes;
    private readonly bool[][] _attached;
    private readonly bool _abort;

    /// <param name="kernel">Their world.</param>
    /// <param name="lots">What they are like.</param>
    /// <param name="machines">How many there may be.</param>
    public ClusterDevices(SimulationKernel kernel, SeededRandom lots, int machines)
    {
        _abort = lots.Chance(0.7);
        var everywhere = lots.Chance(0.7);
        _volumes = [.. Enumerable.Range(0, machines).Select(number => new SharedVolume(kernel, Bytes, $"volume{number}"))];
        _attached = [.. _volumes.Select((_, own) => _volumes.Select((_, machine) => own == machine || everywhere || lots.Chance(0.5)).ToArray())];
    }

    /// <summary>A machine's files, with all devices that it has attached among them.</summary>
    public IFileSystem FilesOf(int machine, IFileSystem files) =>
        _volumes.Where((_, number) => _attached[number][machine]).Aggregate(files, (seen, volume) => volume.FilesOf(machine, seen, fault: null));

    public BlockDeviceOptions Own(int machine) => Options(_volumes[machine]);

    /// <summary>Those of others, as it names them: some may not be there.</summary>
    public IReadOnlyList<BlockDeviceOptions> Others(int machine, int machines) =>
        [.. _volumes.Take(machines).Where((_, number) => number != machine).Select(Options)];

    /// <summary>A machine's power fails.</summary>
    public void CutPower(int machine) => Array.ForEach(_volumes, volume => volume.CutPower(machine));

    // Where a take-over cannot abort, it waits longer than anything is on its way.
    private BlockDeviceOptions Options(SharedVolume volume) => new(volume.Path) { Aborts = _abort, Settling = TimeSpan.FromSeconds(2) };
}
