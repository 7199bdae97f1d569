using Millrace.Controller.Balancing;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Server;
using Millrace.Server.Composition;
using Millrace.Server.Options;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Streams.Wal.Object;
using Millrace.Streams.Wal.Ring;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// The machine of one of the cluster's brokers, its WAL in the bucket or, of some, on its own disk: starts it, stops it, kills it, and starts it again under
/// the same name, whatever ended it.
/// </summary>
internal sealed class ClusterMachine : INodeObserver
{
    /// <summary>What leases allow for, less a little for what is counted in whole milliseconds.</summary>
    private const double LargestClockError = 0.08;

    private const long WalCapacity = 4 << 20;
    private const double WalsOnDisk = 0.2;
    // A controller that was deposed may tell for eleven seconds where records were.
    private static readonly TimeSpan[] DeletionDelays = [TimeSpan.FromSeconds(12), TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(10)];
    private static readonly TimeSpan ProducersAreKept = TimeSpan.FromDays(20);
    private static readonly TimeSpan LongestAbsence = TimeSpan.FromSeconds(3);

    /// <summary>It has a minute in all, and loads that are mostly noise: that it moves for nothing is what is wanted.</summary>
    private static readonly BalanceRules HastyBalance =
        BalanceRules.Default with { Window = TimeSpan.FromSeconds(3), Windows = 1, Rest = TimeSpan.FromSeconds(5), Doubts = 0 };

    /// <summary>Whoever was troubled is given up a moment later, and asks for a while who leads.</summary>
    public static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(15);

    private readonly ClusterWorld _world;
    private readonly SimulationKernel _kernel;
    private readonly NodeOptions _options;
    private readonly PlantedMistakes _mistakes;
    private readonly double _clockRate;
    private readonly SimulatedDisk _disk;
    private readonly WalKind _wal;
    private readonly int _number;
    private NodeHost? _running;
    private SimulatedListener? _listener;
    private SimulatedStorageClient? _storage;
    private BufferPool? _buffers;
    private int _incarnations;
    private bool _stopping;
    private TimeSpan _troubledUntil;

    /// <param name="world">Where it stands.</param>
    /// <param name="number">From 0.</param>
    /// <param name="wal">Where its WAL lies, the default if it has several: on its disk nobody else reaches it; null to draw lots.</param>
    public ClusterMachine(ClusterWorld world, int number, WalKind? wal = null)
    {
        (_world, _kernel) = (world, world.Kernel);
        _number = number;
        Host = $"10.0.0.{number + 1}";
        _disk = new SimulatedDisk(_kernel, Host);
        Node = new SimulatedNode(_kernel, $"n{number}", FilesOf) { OnFailed = OnFailed, Said = OnSaid };
        _mistakes = new PlantedMistakes(world, this, () => _running?.Member);
        _options = Options(_kernel.Random, world.Racks.Count > 0 ? world.Racks[number % world.Racks.Count] : null);
        // What rests on clocks shows where they are at their worst.
        var error = _kernel.Random.Chance(0.5) ? _kernel.Random.Pick([-1, 0, 1]) : _kernel.Random.NextDouble() * 2 - 1;
        _clockRate = 1 + error * LargestClockError;
        _wal = wal ?? (_kernel.Random.Chance(WalsOnDisk) ? WalKind.File : world.Devices is null ? WalKind.Object : WalKind.Block);
    }

    public SimulatedNode Node { get; }

    /// <summary>Its address, for clients and for other brokers.</summary>
    public string Host { get; }

    /// <summary>Where clients find it at the moment; null while nobody listens there.</summary>
    public SimulatedListener? Listener => Node.IsUp ? _listener : null;

    /// <summary>Whether an incarnation serves there.</summary>
    public bool Serves => Node.IsUp && _running?.Current is not null;

    /// <summary>Whether the controller lives there.</summary>
    public bool Leads => Local is not null;

    /// <summary>The cluster as it is known there; null while it has not joined.</summary>
    public MetadataImage? Image => Node.IsUp ? _running?.Member.Metadata.Image : null;

    /// <summary>The controller's whole state, while it lives there.</summary>
    public Millrace.Controller.State.ClusterState? State => Local?.Controller.State;

    /// <summary>Something is or was the matter with it a moment ago: nobody wonders if it is given up.</summary>
    public bool IsTroubled => _troubledUntil >= _kernel.Now;

    /// <summary>The store has lost one and the same write of it again and again, a moment ago.</summary>
    public bool HasLostWrites => _storage?.LostAgainAt is { } at && _kernel.Now - at < Aftermath;

    private Millrace.Cluster.Seat.LocalController? Local => Node.IsUp ? _running?.Member.Local : null;

    /// <summary>Something was done to it, and lasts for so long.</summary>
    public void Trouble(TimeSpan duration)
    {
        var until = _kernel.Now + duration + Aftermath;
        _troubledUntil = until > _troubledUntil ? until : _troubledUntil;
    }

    public void Start(TimeSpan delay) => _kernel.At(_kernel.Now + delay, _kernel.World, () =>
    {
        if (!Node.IsUp)
        {
            _ = LiveAsync();
        }
    });

    /// <summary>kill -9, or the end of the whole machine, which tells nobody; then it is started again.</summary>
    public void Kill()
    {
        if (Node.IsUp)
        {
            _kernel.Coverage.Count("nodes: killed");
            _kernel.Coverage.Count(_stopping ? "broker: killed while it stopped" : "nodes: controllers killed", _stopping || Leads ? 1 : 0);
            Restart(isMachineLost: _kernel.Random.Chance(0.25));
        }
    }

    /// <summary>SIGTERM, if it serves; then it is started again.</summary>
    public void Stop()
    {
        if (Node.IsUp && _running is { } running && !_stopping)
        {
            _stopping = true;
            Trouble(TimeSpan.FromSeconds(30));
            _ = StopAsync(running, Node.Lane!, Node.Runtime!, _buffers!);
        }
    }

    /// <summary>For a while no call to the bucket gets through.</summary>
    public void CutFromStore(TimeSpan duration)
    {
        if (_storage is { IsCutOff: false } storage)
        {
            storage.IsCutOff = true;
            Trouble(duration);
            _kernel.Trace.Note($"{Node.Name} is cut off from the store for {duration.TotalMilliseconds:F0} ms");
            _kernel.Coverage.Count("nodes: cut off from the store");
            _kernel.At(_kernel.Now + duration, _kernel.World, () => storage.IsCutOff = false);
        }
    }

    /// <summary>For a while no write to the bucket gets through, and every read does.</summary>
    public void SwallowWrites(TimeSpan duration)
    {
        if (_storage is { SwallowsWrites: false } storage)
        {
            storage.SwallowsWrites = true;
            Trouble(duration);
            _kernel.Trace.Note($"the writes of {Node.Name} to the store are swallowed for {duration.TotalMilliseconds:F0} ms");
            _kernel.Coverage.Count("nodes: writes to the store swallowed");
            _kernel.At(_kernel.Now + duration, _kernel.World, () => storage.SwallowsWrites = false);
        }
    }

    /// <summary>Nothing keeps it from its work any more.</summary>
    public void CalmDown()
    {
        if (_storage is not null)
        {
            (_storage.IsCutOff, _storage.SwallowsWrites) = (false, false);
        }

        if (Node.IsUp)
        {
            Node.Resume();
        }
    }

    void INodeObserver.OnServing(Incarnation incarnation)
    {
        if (_incarnations++ == 0)
        {
            _kernel.Coverage.Count("broker: starts");
            incarnation.Metadata.Subscribe(delta => _world.Oracle.Seen(delta.After));
        }
        else
        {
            _kernel.Coverage.Count("broker: incarnations replaced in process");
        }
    }

    void INodeObserver.OnOver(Incarnation incarnation, Exception reason)
    {
        _kernel.Trace.Note($"an incarnation is over: {reason.Message}");
        _kernel.Coverage.Count(
            $"broker: incarnations over: {(reason as StreamException)?.Error.ToString() ?? (reason.InnerException ?? reason).GetType().Name}");
        if (reason is StreamException { Error: StreamError.Fenced })
        {
            _world.Oracle.Fenced(incarnation.Self, reason);
        }
    }

    void INodeObserver.OnGone(Incarnation incarnation)
    {
        if (_listener!.Served > 0)
        {
            _kernel.Fail(new ViolationException($"{_listener.Served} connections of an incarnation that is gone could still be answered"));
        }
    }

    private async Task StopAsync(NodeHost running, Lane lane, NodeRuntime runtime, BufferPool buffers)
    {
        var isClean = false;
        try
        {
            await lane.Run(async () =>
            {
                isClean = await running.StopAsync();
                runtime.Stop();
            });
        }
        catch (Exception violation)
        {
            _kernel.Fail(violation);
        }

        // It may have been killed, and another one started, while this waited to go on.
        if (Node.Lane == lane && Node.IsUp)
        {
            // What the stop has ended may need its turn to let go.
            await _kernel.Delay(TimeSpan.FromSeconds(1));
        }

        if (Node.Lane == lane && Node.IsUp)
        {
            if (isClean && buffers.RentedBytes != 0)
            {
                _kernel.Fail(new ViolationException($"{buffers.RentedBytes} bytes are held after a clean stop, {_incarnations} incarnations having been"));
            }

            _kernel.Coverage.Count(isClean ? "broker: clean stops" : "broker: stops that left a WAL");
            Restart(isMachineLost: false);
        }
    }

    private void Restart(bool isMachineLost)
    {
        var lane = Node.Lane!;
        Trouble(LongestAbsence);
        Node.Kill();
        if (isMachineLost)
        {
            _kernel.Coverage.Count("nodes: machines lost");
            _world.Network.MachineLost(lane);
            _disk.CutPower();
            _world.Devices?.CutPower(_number);
        }
        else
        {
            _world.Network.ProcessGone(lane);
            _listener?.ProcessGone();
        }

        (_running, _listener, _stopping) = (null, null, false);
        Start(_kernel.Random.Between(TimeSpan.Zero, LongestAbsence));
    }

    // A node whose incarnations end too soon, one after another, is started again.
    private void OnFailed(Exception failure)
    {
        if (failure is not NodeStartException)
        {
            _kernel.Fail(failure);
            return;
        }

        _kernel.Trace.Note($"{Node.Name} gives up: {failure.Message}");
        _kernel.Coverage.Count("broker: gave up");
        var lane = Node.Lane;
        _kernel.At(_kernel.Now, _kernel.World, () =>
        {
            if (Node.Lane == lane && Node.IsUp)
            {
                Restart(isMachineLost: false);
            }
        });
    }

    // Nothing rots here: whatever is found damaged has been lost.
    private void OnSaid(string line)
    {
        if (line.Contains("is damaged", StringComparison.Ordinal))
        {
            _kernel.Fail(new ViolationException(line));
        }

        // No image tells of it.
        _kernel.Coverage.Count("moves: taken back", line.Contains("were to be handed over serve on", StringComparison.Ordinal) ? 1 : 0);
        _kernel.Coverage.Count(
            "wals: groups of partitions that changed theirs", line.Contains("to another WAL of this node", StringComparison.Ordinal) ? 1 : 0);
        _kernel.Coverage.Count("moves: by the balancer", line.Contains("Moves partition", StringComparison.Ordinal) ? 1 : 0);
    }

    private async Task LiveAsync()
    {
        try
        {
            await Node.Start(RunAsync);
        }
        catch (Exception failure) when (failure is NodeStartException || IncarnationEnd.KindOf(failure) == EndKind.Passing)
        {
            _kernel.Trace.Note($"the broker has not started: {failure.Message}");
            _kernel.Coverage.Count("broker: start given up");
            Restart(isMachineLost: false);
        }
        catch (Exception violation)
        {
            _kernel.Fail(violation);
        }
    }

    private async Task RunAsync(NodeRuntime runtime)
    {
        var lane = Node.Lane!;
        lane.Time.Rate = _clockRate;
        var buffers = _kernel.NewBufferPool();
        (_buffers, _incarnations) = (buffers, 0);
        var storage = _storage = _world.Bucket.Connect(lane);
        var listener = _listener = new SimulatedListener(lane);
        var components = new NodeComponents(
            _mistakes.Storage(storage), (life, store) => Wals(life, store, buffers), buffers, listener,
            _world.Network.At(Host, lane), _world.Network.From(Host, lane), static () => default);

        var node = await NodeHost.StartAsync(runtime, _options, components, this, CancellationToken.None);
        _running = node;
        OnFailed(await node.WaitForFailureAsync());
    }

    private WalProviders Wals(NodeRuntime life, IObjectStorage storage, BufferPool buffers)
    {
        var wals = new ObjectWalProvider(life, buffers, storage, new ObjectWalOptions());
        var takeover = _mistakes.Takeover(life, storage, wals);
        var onDisk = new RingWalProvider(life, buffers, new WalFolder(life, "/data/wal", new() { Capacity = WalCapacity }), new());
        var devices = _world.Devices is { } attached
            ? new BlockDevices(life, buffers, attached.Own(_number), attached.Others(_number, _world.Machines.Count))
            : null;
        var onDevice = devices is null ? null : new RingWalProvider(life, buffers, new BlockMedium(devices), new());
        IWalProvider[] all = [.. new IWalProvider?[] { wals, onDisk, onDevice }.OfType<IWalProvider>()];
        var own = all.Single(provider => provider.Kind == _wal);
        IWalProvider[] others = _world.HasSeveralWals ? [.. all.Except([own])] : [];
        _kernel.Coverage.Count("nodes: lives with a WAL on the disk", _wal == WalKind.File ? 1 : 0);
        _kernel.Coverage.Count("nodes: lives with a WAL on the device", _wal == WalKind.Block ? 1 : 0);
        _kernel.Coverage.Count("nodes: lives with several WALs", others.Length > 0 ? 1 : 0);
        return new WalProviders([_mistakes.Own(own), .. others], kind => kind switch
        {
            WalKind.Object => takeover,
            WalKind.Block => onDevice,
            WalKind.File => own == onDisk || _world.HasSeveralWals ? onDisk : null,
            WalKind.Memory => null,
        })
        {
            Devices = devices,
        };
    }

    private IFileSystem FilesOf(Lane lane) => _world.Devices is { } devices ? devices.FilesOf(_number, _disk.Mount(lane)) : _disk.Mount(lane);

    private NodeOptions Options(SeededRandom random, string? rack)
    {
        var options = NodeOptions.From(
            NodeSettings.From(
            [
                KeyValuePair.Create("listeners", $"PLAINTEXT://{Host}:{BrokerDirectory.Port}"),
                KeyValuePair.Create(ServerSettings.NodeName, Node.Name),
                KeyValuePair.Create(ServerSettings.InternalListener, $"{Host}:0"),
                .. rack is null ? [] : _world.RackSettings.Append(KeyValuePair.Create("broker.rack", rack)),
                .. _world.Times.Settings,
                KeyValuePair.Create(BrokerConfigs.BalancerMode, _world.IsBalanced ? "on" : "off"),
                // All that is written here comes to some kilobytes a second.
                KeyValuePair.Create(BrokerConfigs.BalancerBytesPerSecond, "0"),
                KeyValuePair.Create("offsets.topic.num.partitions", "2"),
                KeyValuePair.Create("millrace.offsets.spare.records", "10"),
                KeyValuePair.Create("group.initial.rebalance.delay.ms", "200"),
                KeyValuePair.Create("offsets.retention.minutes", $"{int.MaxValue}"),
                // By the wall clock, which somebody sets by days.
                KeyValuePair.Create("producer.id.expiration.ms", $"{(long)ProducersAreKept.TotalMilliseconds}"),
                KeyValuePair.Create("log.retention.check.interval.ms", $"{(long)ProducersAreKept.TotalMilliseconds}"),
            ]),
            "/nowhere");
        return options with
        {
            Cluster = options.Cluster with
            {
                Link = endpoint => new CompactionWatch(_kernel, _mistakes.Link(new EncodedLink(endpoint.ExchangeAsync))),
                Rules = _mistakes.LeaseRules,
                Controller = options.Cluster.Controller with
                {
                    CompactionFanIn = random.Pick([3, 3, 5]),
                    CompactedRangeBytes = random.Pick([16 << 10, 64 << 10]),
                    // Two have the same objects where one is slow.
                    CompactionPatience = random.Pick([TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(10)]),
                    CompactionRules = _mistakes.CompactionRules,
                    BalanceRules = _world.IsBalanced ? HastyBalance : BalanceRules.Default,
                    CollectionInterval = random.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2)),
                    // Readers that have not heard of it yet find nothing there.
                    DeletionDelay = _world.Fault == PlantedFault.ForgetWhereRangesWent ? TimeSpan.Zero : random.Pick(DeletionDelays),
                },
            },
            Streams = options.Streams with
            {
                UploadInterval = random.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5)),
                UploadBytes = random.Pick([64 << 10, 4 << 20]),
                NotUploadedBytes = random.Pick([512 << 10, 4 << 20]),
                StreamObjectBytes = random.Pick([4 << 10, 64 << 10]),
                TailCacheBytes = random.Pick([0, 1 << 20]),
                BlockCacheBytes = random.Pick([64 << 10, 4 << 20]),
                CompactionInterval = random.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(3)),
                CompactionBytesPerSecond = random.Pick([8 << 10, 1 << 20, 1 << 30]),
                CompactedObjectBytes = random.Pick([256 << 10, 1 << 20]),
                HandOverRules = _mistakes.HandOverRules,
            },
        };
    }
}
