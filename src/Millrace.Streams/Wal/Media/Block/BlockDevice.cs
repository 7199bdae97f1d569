namespace Millrace.Streams.Wal.Media.Block;

/// <summary>A device that holds WALs, as it was found on this host.</summary>
/// <param name="Options">As its operator names it.</param>
/// <param name="Fence">How others are kept from writing it.</param>
/// <param name="Reach">
/// Its name for the cluster: nodes that say the same reach the same device, and can fence each other there. Of one that the host alone fences it names
/// the host, and that only until it starts anew.
/// </param>
/// <param name="Identity">Tells it from a copy.</param>
/// <param name="Length">Bytes; 0 of a file that is yet to be made.</param>
internal sealed record BlockDevice(BlockDeviceOptions Options, IDeviceFence Fence, string Reach, string Identity, long Length)
{
    public string Path => Options.Path;
}
