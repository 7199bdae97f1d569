namespace Millrace.Simulation.Disks;

/// <summary>A folder's names: those a process sees, and those that a power cut leaves. Its own name stands in the folder above it.</summary>
internal sealed class SimulatedFolder(long number) : DiskEntry(number)
{
    public SortedDictionary<string, DiskEntry> Current { get; private set; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, DiskEntry> Durable { get; } = new(StringComparer.Ordinal);

    public void CutPower() => Current = new(Durable, StringComparer.Ordinal);
}
