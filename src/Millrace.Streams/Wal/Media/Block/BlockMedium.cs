using Millrace.Runtime.Files.Linux;

namespace Millrace.Streams.Wal.Media.Block;

/// <summary>WALs on the node's own block device, of which there is one for each node.</summary>
/// <remarks>
/// One device a node, since a reservation is of a whole device: two nodes on one would have to fence each other to fence a third. Namespaces of an NVMe
/// subsystem, and volumes of SCSI, are devices of their own.
/// </remarks>
/// <param name="devices">Has found the node's own.</param>
public sealed class BlockMedium(BlockDevices devices) : IWalMedium
{
    public WalKind Kind => WalKind.Block;

    /// <summary>The half of the device that nobody waits for.</summary>
    public string Locate(Guid wal, IReadOnlyCollection<WalDescriptor> waiting)
    {
        var device = Own;
        for (var half = 0; half < BlockLayout.Halves; half++)
        {
            var place = BlockLayout.Say(device.Reach, half);
            if (!waiting.Any(other => other.Kind == Kind && IsAt(other.Location, device, half)))
            {
                return place;
            }
        }

        throw new WalUnavailableException(
            waiting.First(other => other.Kind == Kind),
            $"Both halves of {device.Path} hold WALs that wait for their recovery: it is tried again by itself when one of them is recovered",
            new IOException("no room", LinuxError.NoSpace));
    }

    public async ValueTask<IWalSpace> MakeAsync(WalDescriptor wal, CancellationToken token) =>
        await devices.HoldAsync(wal, Own, BlockLayout.TryParse(wal.Location)!.Value.Half, mayLabel: true, token);

    public bool AreShared => true;

    public ValueTask<IWalSpace> FenceAsync(WalDescriptor wal, CancellationToken token) => devices.FenceAsync(wal, token);

    public ValueTask<TimeSpan> GetPatienceAsync(WalDescriptor wal, CancellationToken token) => devices.GetPatienceAsync(wal, token);

    public ValueTask<IWalSpace?> TryOpenToReadAsync(WalDescriptor wal, CancellationToken token) => devices.TryOpenToReadAsync(wal, token);

    public ValueTask<bool> DiscardAsync(WalDescriptor wal, CancellationToken token) => devices.DiscardAsync(wal, token);

    public bool SharesRoomWith(WalDescriptor retired) => false;

    public ValueTask RemoveUnfinishedAsync(CancellationToken token) => ValueTask.CompletedTask;

    public ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token) => new([]);

    private BlockDevice Own => devices.OwnDevice ?? throw new InvalidOperationException("The node's own device was not looked for.");

    private static bool IsAt(string location, BlockDevice device, int half) =>
        BlockLayout.TryParse(location) is { } place && place.Half == half && (place.Reach == device.Reach || HostFence.IsOf(place.Reach, device.Path));
}
