using Millrace.Controller.Nodes;
using Millrace.Metadata.Channel;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.File;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Server;
using Millrace.Server.Composition;
using Millrace.Server.Options;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Scenarios.Wals;
using Millrace.Simulation.Storage;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;
using Millrace.Streams.Wal.Object;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// The machine of one whole broker, its store and its WAL in a bucket or on its own disk: starts it, stops it, kills it, cuts its power, lets it be
/// fenced, and starts it again whatever ended it.
/// </summary>
internal sealed class BrokerMachine : INodeObserver
{
    /// <summary>What the node is called.</summary>
    public const string NodeName = "broker";

    private const string Address = "10.0.0.1";

    /// <summary>A broker looks for producers that were silent for too long as often as this, at least.</summary>
    public static readonly TimeSpan LongestCheckInterval = TimeSpan.FromSeconds(10);

    private readonly SimulationKernel _kernel;
    private readonly SimulatedBucket _bucket;
    private readonly SimulatedNetwork _network;
    private readonly SimulatedMemory _memory;
    private readonly ForgottenHold? _forgottenHold;
    private readonly bool _storeIsOnDisk;
    private readonly NodeOptions _options;
    private readonly long _walCapacity;
    private readonly Thief _thief;
    private NodeHost? _running;
    private SimulatedListener? _listener;
    private BufferPool? _buffers;
    private int _firstBuffer;
    private int _memoryFailures;
    private int _incarnations;
    private bool _stopping;
    private int _walFolder;

    public BrokerMachine(SimulationKernel kernel, SimulatedBucket bucket, PlantedFault? fault)
    {
        _kernel = kernel;
        _bucket = bucket;
        _network = new SimulatedNetwork(kernel);
        Disk = new SimulatedDisk(kernel, "broker");
        _memory = new SimulatedMemory(kernel, "broker");
        _forgottenHold = fault == PlantedFault.ReleaseParkedFrame ? new ForgottenHold(kernel) : null;
        Node = new SimulatedNode(kernel, "broker", lane => new PlantedFileSystem(Disk.Mount(lane), fault, isRecovering: () => false)) { OnFailed = OnFailed };
        var random = kernel.Random;
        IsOnDisk = random.Chance(0.7);
        _storeIsOnDisk = IsOnDisk && random.Chance(0.5);
        _walCapacity = random.Pick([512 << 10, 4 << 20]);
        ProducerExpiration = random.Chance(0.5) ? IdempotentProducer.ShortExpiration : TimeSpan.FromDays(20);
        // What is forgotten after a time is forgotten by the wall clock, as by Kafka: where the clock is set, nothing is.
        ClockIsSet = ProducerExpiration != IdempotentProducer.ShortExpiration && random.Chance(0.5);
        _options = Options(random);
        _thief = new Thief(kernel, Disk.Mount, OpenStoreAsync, walsAreInStore: !IsOnDisk);
    }

    public SimulatedDisk Disk { get; }

    public SimulatedNode Node { get; }

    /// <summary>The WAL is a file on its disk, and in half of these the store a folder there, too; else both are in the bucket.</summary>
    public bool IsOnDisk { get; }

    /// <summary>Somebody sets its wall clock, by days.</summary>
    public bool ClockIsSet { get; }

    /// <summary>After so long a silence it forgets an idempotent producer, sooner or later.</summary>
    public TimeSpan ProducerExpiration { get; }

    /// <summary>Where clients find it at the moment; null while it is not there.</summary>
    public SimulatedListener? Listener => Node.IsUp && _running is not null ? _listener : null;

    public void Start(TimeSpan delay) => _kernel.At(_kernel.Now + delay, _kernel.World, () => _ = LiveAsync());

    /// <summary>Somebody takes it for dead: seals the metadata log or the WAL, or fences it. It is alive, and has to find out.</summary>
    public void Fence()
    {
        if (_kernel.Random.Chance(0.3) && Node.IsUp && _running is { Current: { } current, Member.Local: { } local })
        {
            _kernel.Coverage.Count("broker: fenced by its own controller");
            _ = Node.Lane!.Run(async () =>
            {
                try
                {
                    await local.Controller.SubmitAsync(entry => NodeOperations.Fence(entry, current.Self), CancellationToken.None);
                }
                catch (Exception over) when (over is StreamException or ControllerException)
                {
                    // It was over already.
                }
            });
        }
        else
        {
            _thief.Begin();
        }
    }

    /// <summary>Memory runs out, some takings from now: what failed has failed, and the broker goes on, or is killed for it.</summary>
    public void RunOutOfMemory()
    {
        if (_running is not null)
        {
            _memory.RunOut(_kernel.Random.Chance(0.3) ? Crash : null);
        }
    }

    /// <summary>There is enough of everything again, for good.</summary>
    public void CalmDown()
    {
        Disk.Weather = DiskWeather.Calm;
        _memory.Recover();
    }

    /// <summary>kill -9, or a power cut; then it is started again.</summary>
    public void Crash()
    {
        // A start from a bucket in bad weather takes longer than a broker is left in peace: it is killed now and then, and mostly spared.
        if (!Node.IsUp || _running?.Current is null && _kernel.Random.Chance(0.9))
        {
            return;
        }

        Die();
    }

    private void Die()
    {
        _kernel.Coverage.Count("nodes: killed");
        if (_stopping)
        {
            _kernel.Coverage.Count("broker: killed while it stopped");
        }

        Restart(cutPower: 0.6);
    }

    /// <summary>SIGTERM, if it runs; then it is started again, with a new folder for its WAL: nothing else may be needed from the old one.</summary>
    public void Stop()
    {
        if (Node.IsUp && _running is { } running && !_stopping)
        {
            _stopping = true;
            _ = StopAsync(running, Node.Lane!, Node.Runtime!, _buffers!);
        }
    }

    void INodeObserver.OnServing(Incarnation incarnation)
    {
        _kernel.Coverage.Count(_incarnations++ == 0 ? "broker: starts" : "broker: incarnations replaced in process");
        _memoryFailures = _memory.Failures;
        _forgottenHold?.Watch(incarnation.Streams, _firstBuffer, Node.Lane!);
    }

    void INodeObserver.OnOver(Incarnation incarnation, Exception reason)
    {
        _kernel.Trace.Note($"an incarnation is over: {reason.Message}");
        _kernel.Coverage.Count(
            $"broker: incarnations over: {(reason as StreamException)?.Error.ToString() ?? (reason.InnerException ?? reason).GetType().Name}");
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
        _kernel.Coverage.Count("broker: stops begun");
        try
        {
            await lane.Run(async () =>
            {
                isClean = await running.StopAsync();
                runtime.Stop();
            });
        }
        catch (OutOfMemoryException)
        {
            _kernel.Coverage.Count("broker: stops that ran out of memory");
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

            if (isClean && _incarnations > 1)
            {
                _kernel.Coverage.Count("broker: clean stops of one that had been replaced");
            }

            _kernel.Coverage.Count(isClean ? "broker: clean stops" : "broker: stops that left a WAL");
            _walFolder += isClean ? 1 : 0;
            Restart(cutPower: 0.2);
        }
    }

    private void Restart(double cutPower)
    {
        var lane = Node.Lane!;
        Node.Kill();
        _network.ProcessGone(lane);
        (_running, _listener, _stopping) = (null, null, false);
        if (IsOnDisk && _kernel.Random.Chance(cutPower))
        {
            _thief.Kill();
            Disk.CutPower();
        }

        Start(_kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)));
    }

    // A node that has a better owner, whose incarnations end too soon, or whose memory has run out where nobody could be told, is started again.
    private void OnFailed(Exception failure)
    {
        var isForWantOfMemory = failure.InnerException is OutOfMemoryException || failure is TimeoutException && _memory.Failures > _memoryFailures;
        if (!isForWantOfMemory && failure is not NodeStartException)
        {
            _kernel.Fail(failure);
            return;
        }

        _kernel.Coverage.Count(isForWantOfMemory ? "broker: gave up for want of memory"
            : failure.InnerException is null ? "broker: ended for a living owner"
            : "broker: gave up");
        var lane = Node.Lane;
        _kernel.At(_kernel.Now, _kernel.World, () =>
        {
            if (Node.Lane == lane && Node.IsUp)
            {
                Die();
            }
        });
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
            Restart(cutPower: 0);
        }
        catch (Exception violation)
        {
            _kernel.Fail(violation);
        }
    }

    private async Task RunAsync(NodeRuntime runtime)
    {
        var lane = Node.Lane!;
        var buffers = _kernel.NewBufferPool(_memory);
        (_buffers, _firstBuffer, _incarnations) = (buffers, _kernel.Buffers.Count, 0);
        _memory.Recover();
        var storage = await OpenStoreAsync(runtime, lane);
        var listener = _listener = new SimulatedListener(lane);
        var components = new NodeComponents(
            storage, (life, store) => Wals(life, store, buffers), buffers, listener, _network.At(Address, lane), _network.From(Address, lane),
            static () => default);
        var node = await NodeHost.StartAsync(runtime, _options, components, this, CancellationToken.None);
        _running = node;
        OnFailed(await node.WaitForFailureAsync());
    }

    private async ValueTask<IObjectStorage> OpenStoreAsync(NodeRuntime runtime, Lane lane) => _storeIsOnDisk
        ? await FileObjectStorage.OpenAsync(runtime, "/data/store", CancellationToken.None)
        : _bucket.Connect(lane);

    private WalProviders Wals(NodeRuntime life, IObjectStorage storage, BufferPool buffers)
    {
        IWalProvider wals = IsOnDisk
            ? new RingWalProvider(life, buffers, new WalFolder(life, $"/data/wal{_walFolder}", new() { Capacity = _walCapacity }), new())
            : new ObjectWalProvider(life, buffers, storage, new ObjectWalOptions());
        return new WalProviders([wals], kind => kind == wals.Kind ? wals : null);
    }

    private NodeOptions Options(SeededRandom random)
    {
        var checkInterval = ClockIsSet ? TimeSpan.FromDays(20) : LongestCheckInterval;
        var options = NodeOptions.From(
            NodeSettings.From(
            [
                KeyValuePair.Create("listeners", "PLAINTEXT://127.0.0.1:9092"),
                KeyValuePair.Create(ServerSettings.NodeName, NodeName),
                KeyValuePair.Create(ServerSettings.InternalListener, $"{Address}:0"),
                KeyValuePair.Create("offsets.topic.num.partitions", "2"),
                KeyValuePair.Create("millrace.offsets.spare.records", "10"),
                KeyValuePair.Create("group.initial.rebalance.delay.ms", "200"),
                KeyValuePair.Create("producer.id.expiration.ms", $"{(long)ProducerExpiration.TotalMilliseconds}"),
                KeyValuePair.Create("log.retention.check.interval.ms", $"{(long)checkInterval.TotalMilliseconds}"),
                KeyValuePair.Create("offsets.retention.minutes", $"{int.MaxValue}"),
            ]),
            "/nowhere");
        return options with
        {
            Cluster = options.Cluster with { Link = endpoint => new EncodedLink(endpoint.ExchangeAsync) },
            Streams = options.Streams with
            {
                UploadInterval = random.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5)),
                UploadBytes = random.Pick([64 << 10, 1 << 20]),
                NotUploadedBytes = random.Pick([256 << 10, 512 << 10, 4 << 20]),
                StreamObjectBytes = random.Pick([4 << 10, 64 << 10]),
                TailCacheBytes = random.Pick([0, 1 << 20]),
                BlockCacheBytes = random.Pick([64 << 10, 4 << 20]),
            },
        };
    }
}
