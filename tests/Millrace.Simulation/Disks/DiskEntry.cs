namespace Millrace.Simulation.Disks;

/// <summary>What a name in a folder stands for: a file or a folder.</summary>
/// <param name="number">Never given out again.</param>
internal abstract class DiskEntry(long number)
{
    public long Number => number;
}
