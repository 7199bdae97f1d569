namespace Millrace.Runtime.Files;

/// <summary>What the file system knows of one file or folder.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="LinkCount">How many names it has.</param>
/// <param name="IsDirectory">Folders have lengths and links too, of no meaning here.</param>
/// <param name="Identity">
/// Tells this very file from every other, its copies included: it survives renames and reboots, and a copy or a later
/// file at the same path has another.
/// </param>
public sealed record FileStatus(long Length, int LinkCount, bool IsDirectory, string Identity)
{
    /// <summary>Of a block device; null of everything else.</summary>
    public BlockDeviceStatus? Device { get; init; }
}
