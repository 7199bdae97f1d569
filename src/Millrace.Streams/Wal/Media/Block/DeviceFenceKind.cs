namespace Millrace.Streams.Wal.Media.Block;

/// <summary>How all but one are kept from writing a device.</summary>
public enum DeviceFenceKind
{
    /// <summary>By the device, with a persistent reservation: from any host that it is attached to.</summary>
    Reservation,

    /// <summary>By this host's kernel, with a lock on the file: it keeps processes of one host apart, and falls when its holder dies.</summary>
    Host,
}
