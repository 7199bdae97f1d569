namespace Millrace.Simulation.Disks;

/// <summary>A name that comes to stand for something else, or, with null, for nothing.</summary>
internal readonly record struct NameChange(SimulatedFolder Folder, string Name, DiskEntry? Entry);
