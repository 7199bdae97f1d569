namespace Millrace.Runtime.Files;

/// <summary>What the system knows of a block device.</summary>
/// <param name="WorldWideId">
/// The name that the device bears wherever it is attached (NVMe: of the namespace; SCSI: from its identification page); null of one that has none.
/// </param>
/// <param name="IsPartition">A part of a device: reservations reach the whole of it.</param>
/// <param name="LogicalSector">Bytes; what is read and written are multiples of it.</param>
/// <param name="PhysicalSector">Bytes; what the medium writes at once.</param>
public sealed record BlockDeviceStatus(string? WorldWideId, bool IsPartition, int LogicalSector, int PhysicalSector);
