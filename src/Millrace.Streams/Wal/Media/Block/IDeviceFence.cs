using Millrace.Runtime.Files;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Wal.Media.Block;

/// <summary>Makes one process the only one that writes a device.</summary>
internal interface IDeviceFence
{
    /// <summary>What the cluster calls the device, by <see cref="BlockDevice.Reach"/>.</summary>
    /// <exception cref="IOException">It cannot be fenced so; says why, and what else there is.</exception>
    ValueTask<string> NameAsync(string path, FileStatus status, CancellationToken token);

    /// <summary>
    /// Takes hold of the device, in the place of whoever had it. Nothing that another process writes reaches it from when this returns, though it was
    /// sent off before.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="key">In whose name: <see cref="BlockOwner.Key"/>.</param>
    /// <param name="writer">
    /// The key of the incarnation whose WAL is to be read: it takes the time that is needed until nothing of that one can land. Null where a WAL is to be made.
    /// </param>
    /// <param name="token">Ends the wait.</param>
    /// <returns>Disposed of when the device is read and written no more, or when others of this host may have it.</returns>
    /// <exception cref="IOException">It cannot be had, or not now.</exception>
    ValueTask<IAsyncDisposable> TakeAsync(BlockDevice device, ulong key, ulong? writer, CancellationToken token);

    /// <summary>
    /// Which third node has taken the place of a writer, if one has: neither the writer's, whose next incarnation gives way to those who recover what it has
    /// left, nor the one that asks.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="key">Who asks.</param>
    /// <param name="writer">Whose WAL it is.</param>
    /// <param name="token">Ends the wait.</param>
    ValueTask<NodeIncarnation?> FindTakerAsync(BlockDevice device, ulong key, ulong writer, CancellationToken token);

    /// <summary>Whether a write failed because another has taken hold of the device.</summary>
    bool IsFence(Exception failure);
}
