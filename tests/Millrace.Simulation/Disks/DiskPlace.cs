namespace Millrace.Simulation.Disks;

/// <summary>Judges a place on a disk.</summary>
/// <param name="path">A file's.</param>
/// <param name="content">What of it a power cut would leave.</param>
/// <param name="position">Where in it a sector begins.</param>
public delegate bool DiskPlace(string path, Func<byte[]> content, long position);
