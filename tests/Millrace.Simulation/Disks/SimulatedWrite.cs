namespace Millrace.Simulation.Disks;

/// <summary>A write under way: a power cut may leave any of its sectors behind.</summary>
internal sealed record SimulatedWrite(SimulatedFile File, long Position, byte[] Bytes);
