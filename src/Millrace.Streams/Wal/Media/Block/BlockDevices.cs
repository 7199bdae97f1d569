using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Wal.Media.Block;

/// <summary>The devices that one incarnation of a node reaches: its own, and those of others whose WALs it can take over.</summary>
/// <remarks>
/// Threading: <see cref="FindAsync"/> and <see cref="Owner"/> first; then any thread, but one call of <see cref="LookAgainAsync"/> at a time.
/// </remarks>
/// <param name="runtime">Its files are the devices.</param>
/// <param name="pool">Lends the buffers.</param>
/// <param name="own">The node's own; null if its WAL lies elsewhere.</param>
/// <param name="others">Those of others.</param>
public sealed class BlockDevices(NodeRuntime runtime, BufferPool pool, BlockDeviceOptions? own, IReadOnlyList<BlockDeviceOptions> others) : IFormerSpaces
{
    // It may have to wait for what is on its way, and then looks for the end of the log.
    private static readonly TimeSpan SealLimit = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(5);

    private readonly HostFence _host = new(runtime);

    // Those of others that could not be used when they were last looked at, and why.
    private readonly Dictionary<string, string> _away = [];

    // Looks that have not ended in time.
    private readonly Dictionary<string, Task<BlockDevice>> _looking = [];
    private volatile IReadOnlyList<BlockDevice> _found = [];

    /// <summary>In whose name devices are taken. To be set when the node has registered.</summary>
    public BlockOwner? Owner { private get; set; }

    /// <summary>Whether an incarnation may be at work: who is not need not be left to seal what it has taken. To be set with <see cref="Owner"/>.</summary>
    public Func<NodeIncarnation, bool> IsLive { private get; set; } = static _ => true;

    /// <summary>Whether there are any of others, which may come and go.</summary>
    public bool NamesOthers => others.Count > 0;

    /// <summary>Looks for the devices.</summary>
    /// <returns>What this node can take over WALs from, by <see cref="BlockDevice.Reach"/>.</returns>
    /// <exception cref="IOException">The node's own cannot be used; says why. One of others' that is away is passed over, with a warning.</exception>
    public async ValueTask<IReadOnlyList<string>> FindAsync(CancellationToken token)
    {
        OwnDevice = own is null ? null : await LookAtAsync(own, token);
        return await LookAgainAsync(token);
    }

    /// <summary>
    /// Looks for others' devices again, since some are attached later. One that was found stays so while it is away: what waits for it here is tried again. The
    /// node's own stays as it was found.
    /// </summary>
    /// <returns>As <see cref="FindAsync"/>.</returns>
    public async ValueTask<IReadOnlyList<string>> LookAgainAsync(CancellationToken token)
    {
        List<BlockDevice> found = OwnDevice is null ? [] : [OwnDevice];
        foreach (var other in others)
        {
            try
            {
                found.Add(await LookForAsync(other, token));
                if (_away.Remove(other.Path))
                {
                    WalMessages.DeviceThere(runtime.Loggers, other.Path);
                }
            }
            catch (Exception away) when (away is IOException or UnauthorizedAccessException)
            {
                found.AddRange(_found.Where(known => known != OwnDevice && known.Path == other.Path));

                // What goes wrong all the time is said once.
                if (_away.GetValueOrDefault(other.Path) != away.Message)
                {
                    _away[other.Path] = away.Message;
                    WalMessages.DeviceAway(runtime.Loggers, other.Path, away.Message);
                }
            }
        }

        _found = found;
        return [.. found.Select(device => device.Reach).Distinct()];
    }

    /// <summary>The node's own, when it was found.</summary>
    internal BlockDevice? OwnDevice { get; private set; }

    public bool AreShared => true;

    public async ValueTask<IWalSpace> FenceAsync(WalDescriptor wal, CancellationToken token)
    {
        var (device, half) = Find(wal);
        return await HoldAsync(wal, device, half, mayLabel: false, token);
    }

    public async ValueTask<IWalSpace?> TryOpenToReadAsync(WalDescriptor wal, CancellationToken token)
    {
        var (device, half) = Find(wal);
        var whole = await OpenAsync(device, token);
        try
        {
            var label = await ReadLabelAsync(wal, device, whole, token);
            return new HeldHalf(device, HalfOf(whole, label, half), label, hold: null);
        }
        catch
        {
            await whole.DisposeAsync();
            throw;
        }
    }

    public async ValueTask<TimeSpan> GetPatienceAsync(WalDescriptor wal, CancellationToken token)
    {
        var (device, _) = Find(wal);
        var taker = await device.Fence.FindTakerAsync(device, RequireOwner().Key, BlockOwner.KeyOf(wal.Node, wal.Epoch), token);
        return taker is { } living && IsLive(living)
            ? device.Options.Settling + SealLimit
            : TimeSpan.Zero;
    }

    /// <summary>Nothing is to be given back: a half is used again when nobody waits for what it holds.</summary>
    public ValueTask<bool> DiscardAsync(WalDescriptor wal, CancellationToken token) => new(true);

    /// <summary>Takes hold of a device and opens a half of it.</summary>
    /// <param name="wal">That lies there, or will.</param>
    /// <param name="device">The device.</param>
    /// <param name="half">Which.</param>
    /// <param name="mayLabel">A device that holds nothing becomes this node's.</param>
    /// <param name="token">Ends the wait.</param>
    internal async ValueTask<IWalSpace> HoldAsync(WalDescriptor wal, BlockDevice device, int half, bool mayLabel, CancellationToken token)
    {
        var owner = RequireOwner();
        var whole = await OpenAsync(device, token);
        IAsyncDisposable? hold = null;
        try
        {
            // Before it is taken from whoever may be using it.
            var sector = new LabelSector(whole, pool);
            if (mayLabel)
            {
                await RequireOursAsync(wal, device, sector, owner, token);
            }

            hold = await device.Fence.TakeAsync(device, owner.Key, mayLabel ? null : BlockOwner.KeyOf(wal.Node, wal.Epoch), token);
            if (mayLabel && await sector.IsBlankAsync(token))
            {
                await LabelAsync(device, whole, owner);
            }
            else if (mayLabel)
            {
                await RequireOursAsync(wal, device, sector, owner, token);
            }

            var label = await ReadLabelAsync(wal, device, whole, token);
            return new HeldHalf(device, HalfOf(whole, label, half), label, hold);
        }
        catch
        {
            await whole.DisposeAsync();
            if (hold is not null)
            {
                await hold.DisposeAsync();
            }

            throw;
        }
    }

    private BlockOwner RequireOwner() => Owner ?? throw new InvalidOperationException("Nobody has said in whose name devices are taken.");

    /// <summary>Looks for another's device, which may never answer: then the look goes on, and none is begun beside it.</summary>
    private async ValueTask<BlockDevice> LookForAsync(BlockDeviceOptions other, CancellationToken token)
    {
        var look = _looking.Remove(other.Path, out var begun) ? begun : LookAsync(other);
        using var limit = new CancellationTokenSource(LookLimit, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, token);
        try
        {
            return await look.OrCancelled(either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !token.IsCancellationRequested)
        {
            _looking[other.Path] = look;
            throw new IOException($"{other.Path} has not answered for {LookLimit.TotalSeconds:0} s", LinuxError.InputOutput);
        }
    }

    // By no caller's token: it may outlast the call that began it.
    private async Task<BlockDevice> LookAsync(BlockDeviceOptions other) =>
        await runtime.Files.GetStatusAsync(other.Path, runtime.Stopping) is not null
            ? await LookAtAsync(other, runtime.Stopping)
            : throw new IOException($"{other.Path} is not there", LinuxError.NoEntry);

    private async ValueTask<BlockDevice> LookAtAsync(BlockDeviceOptions options, CancellationToken token)
    {
        var status = await runtime.Files.GetStatusAsync(options.Path, token);
        var isDevice = status?.Device is not null || options.Path.StartsWith("/dev/", StringComparison.Ordinal);
        if (isDevice && status is null)
        {
            throw new IOException($"{options.Path} is not there: attach the device, or name another", LinuxError.NoEntry);
        }

        IDeviceFence fence = (options.Fence ?? (isDevice ? DeviceFenceKind.Reservation : DeviceFenceKind.Host)) switch
        {
            DeviceFenceKind.Reservation => new ReservationFence(runtime, _host),
            DeviceFenceKind.Host => _host,
        };
        if (status is null)
        {
            // A file that is yet to be made: its folder, and then itself.
            await runtime.Files.CreateDirectoryAsync(Path.GetDirectoryName(options.Path)!, token);
            var made = await runtime.Files.OpenDeviceAsync(options.Path, options.Capacity ?? BlockDeviceOptions.FileCapacity, WalDeviceMode.Direct, token);
            await made.DisposeAsync();
            status = await runtime.Files.GetStatusAsync(options.Path, token)
                ?? throw new IOException($"{options.Path} has just been deleted", LinuxError.NoEntry);
        }

        return new BlockDevice(options, fence, await fence.NameAsync(options.Path, status, token), status.Identity, status.Length);
    }

    private (BlockDevice Device, int Half) Find(WalDescriptor wal) =>
        BlockLayout.TryParse(wal.Location) is { } place
        && (_found.FirstOrDefault(device => device.Reach == place.Reach)
            // The host was started anew since, or the node is another process' container of it.
            ?? (OwnDevice is { } mine && HostFence.IsOf(place.Reach, mine.Path) && Owner?.Incarnation.Node == wal.Node ? mine : null)) is { } found
            ? (found, place.Half)
            : throw new WalUnavailableException(
                wal,
                $"The WAL of node {wal.Node} lies on the device {wal.Location}, which this node does not reach. "
                + "Attach it here, where it is named in millrace.wal.devices, or start that node where it is attached.");

    // What has been detached since must not be made anew, as a file of its name, and another one that has its name now is not it.
    private async ValueTask<IWalDevice> OpenAsync(BlockDevice device, CancellationToken token)
    {
        var status = await runtime.Files.GetStatusAsync(device.Path, token);
        var wrong = status is null ? "is not there any more"
            : status.Identity != device.Identity ? "is another one than when this node started"
            : status.Length < BlockDeviceOptions.SmallestCapacity ? $"has {status.Length} bytes, and takes at least {BlockDeviceOptions.SmallestCapacity}"
            : null;
        return wrong is null
            ? await runtime.Files.OpenDeviceAsync(device.Path, device.Length, WalDeviceMode.Direct, token)
            : throw new IOException($"{device.Path} {wrong}", LinuxError.NoEntry);
    }

    private static BlockHalf HalfOf(IWalDevice whole, BlockLabel label, int half)
    {
        var (start, length) = BlockLayout.PartOf(label.Capacity, half);
        return new BlockHalf(whole, start, length);
    }

    /// <summary>Looks that a device holds nothing, or WALs of this very node.</summary>
    private static async ValueTask RequireOursAsync(WalDescriptor wal, BlockDevice device, LabelSector sector, BlockOwner owner, CancellationToken token)
    {
        // In this order: a label of this node's may land meanwhile, and none goes.
        if (await sector.IsBlankAsync(token))
        {
            return;
        }

        var (label, format) = await sector.ReadAsync(token);
        if (label is null)
        {
            throw Refuse(wal, device, format is null ? "holds something that is not Millrace's" : Unreadable(format));
        }

        var (cluster, node) = (owner.Cluster, owner.Incarnation.Node);
        if (label.Cluster != cluster || label.Node != node)
        {
            throw Refuse(wal, device, $"holds WALs of node {label.Node} of cluster {label.Cluster}, and this is node {node} of cluster {cluster}");
        }
    }

    private async ValueTask LabelAsync(BlockDevice device, IWalDevice whole, BlockOwner owner)
    {
        var capacity = Math.Min(device.Options.Capacity ?? whole.Capacity, whole.Capacity);
        if (capacity < BlockDeviceOptions.SmallestCapacity)
        {
            throw new IOException(
                $"{device.Path} has {capacity} bytes, and a WAL on a device takes at least {BlockDeviceOptions.SmallestCapacity}", LinuxError.NoSpace);
        }

        await new LabelSector(whole, pool).WriteAsync(new(runtime.NewId(), owner.Cluster, owner.Incarnation.Node, capacity, device.Identity));
        WalMessages.DeviceLabelled(runtime.Loggers, device.Path, capacity);
    }

    private async ValueTask<BlockLabel> ReadLabelAsync(WalDescriptor wal, BlockDevice device, IWalDevice whole, CancellationToken token)
    {
        var (label, format) = await new LabelSector(whole, pool).ReadAsync(token);
        var wrong = label is null ? Unreadable(format)
            : label.Identity != device.Identity ? "is a copy of a WAL's device: it may lack records that were acknowledged after it was copied"
            : label.Capacity > whole.Capacity ? $"has {whole.Capacity} bytes and had {label.Capacity}"
            : null;
        return wrong is null ? label! : throw Refuse(wal, device, wrong);
    }

    private static string Unreadable(ushort? format) => format is { } other and not BlockLabel.Version
        ? $"has format {other}, and this program knows {BlockLabel.Version}: another version of Millrace wrote it"
        : "bears no label of a WAL: it was overwritten";

    private static WalUnavailableException Refuse(WalDescriptor wal, BlockDevice device, string what) => new(
        wal, $"{device.Path} {what}. If nothing of it is needed, 'millrace wal format {device.Path}' empties it; else name another device.");
}
