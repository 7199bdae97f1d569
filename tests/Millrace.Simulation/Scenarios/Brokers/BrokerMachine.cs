using Millrace.Metadata.Channel;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.File;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Server.Composition;
using Millrace.Server.Options;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Scenarios.Wals;
using Millrace.Simulation.Storage;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Ring;
using Millrace.Streams.Wal.Object;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// The machine of one whole broker, its store and its WAL in a bucket or on its own disk: starts it, stops it, kills it, cuts its power,
/// and starts it again whatever ended it.
/// </summary>
internal sealed class BrokerMachine
{
    /// <summary>A broker looks for producers that were silent for too long as often as this, at least.</summary>
    public static readonly TimeSpan LongestCheckInterval = TimeSpan.FromSeconds(10);

    private readonly SimulationKernel _kernel;
    private readonly SimulatedBucket _bucket;
    private readonly SimulatedMemory _memory;
    private readonly ForgottenHold? _forgottenHold;
    private readonly bool _storeIsOnDisk;
    private readonly NodeOptions _options;
    private readonly long _walCapacity;
    private MillraceNode? _running;
    private SimulatedListener? _listener;
    private BufferPool? _buffers;
    private bool _stopping;
    private int _walFolder;

    public BrokerMachine(SimulationKernel kernel, SimulatedBucket bucket, PlantedFault? fault)
    {
        _kernel = kernel;
        _bucket = bucket;
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
    public SimulatedListener? Listener => Node.IsUp ? _listener : null;

    public void Start(TimeSpan delay) => _kernel.At(_kernel.Now + delay, _kernel.World, () => _ = LiveAsync());

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
        if (!Node.IsUp || _running is null && _kernel.Random.Chance(0.9))
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

    private async Task StopAsync(MillraceNode running, Lane lane, NodeRuntime runtime, BufferPool buffers)
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
                _kernel.Fail(new ViolationException($"{buffers.RentedBytes} bytes are held after a clean stop"));
            }

            _kernel.Coverage.Count(isClean ? "broker: clean stops" : "broker: stops that left a WAL");
            _walFolder += isClean ? 1 : 0;
            Restart(cutPower: 0.2);
        }
    }

    private void Restart(double cutPower)
    {
        Node.Kill();
        (_running, _listener, _stopping) = (null, null, false);
        if (IsOnDisk && _kernel.Random.Chance(cutPower))
        {
            Disk.CutPower();
        }

        Start(_kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)));
    }

    // A node that has lost the metadata log or its WAL is started again, and so is one whose memory has run out where nobody could be told.
    private void OnFailed(Exception failure)
    {
        var isOutOfMemory = failure is OutOfMemoryException || failure.InnerException is OutOfMemoryException;
        if (!isOutOfMemory && failure is not (WalUnavailableException or StreamException or IOException) && failure.InnerException is not ObjectLogException)
        {
            _kernel.Fail(failure);
            return;
        }

        _kernel.Coverage.Count(isOutOfMemory ? "broker: gave up for want of memory" : "broker: gave up");
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
        catch (Exception failure) when (failure is NodeStartException or ObjectStorageException or StreamException or WalUnavailableException or OutOfMemoryException)
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
        var firstBuffer = _kernel.Buffers.Count;
        var buffers = _kernel.NewBufferPool(_memory);
        _memory.Recover();
        IObjectStorage storage = _storeIsOnDisk
            ? await FileObjectStorage.OpenAsync(runtime, "/data/store", CancellationToken.None)
            : _bucket.Connect(lane);
        IWalProvider wals = IsOnDisk
            ? RingWalProvider.InFolder(runtime, buffers, $"/data/wal{_walFolder}", new RingWalOptions { Capacity = _walCapacity })
            : new ObjectWalProvider(runtime, buffers, storage, new ObjectWalOptions());
        var listener = new SimulatedListener(lane);
        var components = new NodeComponents(storage, wals, kind => kind == wals.Kind ? wals : null, buffers, listener, new NobodyElse())
        {
            Link = endpoint => new EncodedLink(endpoint.ExchangeAsync),
        };
        var node = await MillraceNode.StartAsync(runtime, _options, components, CancellationToken.None);
        (_running, _listener, _buffers) = (node, listener, buffers);
        _forgottenHold?.Watch(node.Streams, firstBuffer, lane);
        _kernel.Coverage.Count("broker: starts");
        OnFailed(await node.WaitForFailureAsync());
    }

    private NodeOptions Options(SeededRandom random)
    {
        var checkInterval = ClockIsSet ? TimeSpan.FromDays(20) : LongestCheckInterval;
        var options = NodeOptions.From(
            NodeSettings.From(
            [
                KeyValuePair.Create("listeners", "PLAINTEXT://127.0.0.1:9092"),
                KeyValuePair.Create("offsets.topic.num.partitions", "2"),
                KeyValuePair.Create("group.initial.rebalance.delay.ms", "200"),
                KeyValuePair.Create("producer.id.expiration.ms", $"{(long)ProducerExpiration.TotalMilliseconds}"),
                KeyValuePair.Create("log.retention.check.interval.ms", $"{(long)checkInterval.TotalMilliseconds}"),
                KeyValuePair.Create("offsets.retention.minutes", $"{int.MaxValue}"),
            ]),
            "/nowhere");
        return options with
        {
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

    private sealed class NobodyElse : IPeerProbe
    {
        public ValueTask<bool> AnswersAsync(string host, int port, string clusterId, CancellationToken token) => ValueTask.FromResult(false);
    }
}
