using Millrace.Runtime.Files;
using Millrace.Simulation.Disks;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>What the making of WALs that was cut short has left on a machine's disk. A start begins by removing it, as that of a node does.</summary>
internal sealed class UnfinishedWals(SimulatedDisk disk, string folder)
{
    /// <summary>Nothing of it stays, unless the disk refuses.</summary>
    public async Task RemoveAsync(IWalProvider wals)
    {
        var before = Count();
        try
        {
            await wals.RemoveUnfinishedAsync(CancellationToken.None);
        }
        catch (IOException)
        {
            // It takes room, and no more: the start goes on, and the next one tries again.
            disk.Kernel.Coverage.Count("wal: unfinished ones not removed");
            return;
        }

        disk.Kernel.Coverage.Count("wal: unfinished ones removed", before);
        if (Count() is not 0 and var left)
        {
            throw new ViolationException($"{left} unfinished WALs are left in {folder}");
        }
    }

    private int Count() => disk.List(folder).Count(entry => entry.Name.EndsWith(IFileSystem.Unfinished, StringComparison.Ordinal));
}
