namespace Millrace.Streams.Wal.Media.Block;

/// <summary>A block device, or a file in its place, that holds WALs, as an operator names it.</summary>
/// <param name="Path">Absolute: of a device by one of its lasting names (<c>/dev/disk/by-id/…</c>), or of a file, which is made if it is missing.</param>
public sealed record BlockDeviceOptions(string Path)
{
    /// <summary>Of a file that is made.</summary>
    public const long FileCapacity = 10L << 30;

    /// <summary>Two halves of it have to hold a ring each.</summary>
    public const long SmallestCapacity = 64L << 20;

    /// <summary>Bytes of it that are used; null takes the whole device, or makes a file of <see cref="FileCapacity"/>.</summary>
    public long? Capacity { get; init; }

    /// <summary>How others are kept from writing; null takes reservations for a device, and the host's lock for a file.</summary>
    public DeviceFenceKind? Fence { get; init; }

    /// <summary>
    /// Whether a take-over has the device abort what its former holder has under way. One that cannot lets such writes land later; one that came behind the
    /// end that was read would be lost, though it was acknowledged.
    /// </summary>
    public bool Aborts { get; init; } = true;

    /// <summary>
    /// How long a take-over waits for such writes to land, without <see cref="Aborts"/> or where it was not itself that took the writer's place. As long as
    /// hosts let a write take: SCSI's, 30 s.
    /// </summary>
    public TimeSpan Settling { get; init; } = TimeSpan.FromSeconds(30);
}
