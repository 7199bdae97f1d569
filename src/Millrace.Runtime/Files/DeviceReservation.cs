namespace Millrace.Runtime.Files;

/// <summary>Who holds a block device, and how.</summary>
/// <param name="Key">The holder's; 0 of a host that has withdrawn its registration and holds the device all the same, as NVMe lets it.</param>
/// <param name="Type">As Linux numbers them: 1 is write exclusive, for the holder alone.</param>
public readonly record struct DeviceReservation(ulong Key, uint Type);
