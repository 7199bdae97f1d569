using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Server.Composition;
using Millrace.Server.Options;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>One whole broker that is killed and restarted under its clients, either on a bucket or on its own disk.</summary>
internal sealed class BrokerWorld
{
    private const int Partitions = 2;
    private const int EnoughAcknowledgements = 250;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);
    private readonly SimulationKernel _kernel;
    private readonly SimulatedBucket _bucket;
    private readonly SimulatedDisk _disk;
    private readonly SimulatedNode _node;
    private readonly bool _onDisk;
    private SimulatedListener? _listener;
    private bool _isOver;

    public BrokerWorld(SimulationKernel kernel)
    {
        _kernel = kernel;
        _bucket = new SimulatedBucket(kernel);
        _disk = new SimulatedDisk(kernel, "broker");
        _node = new SimulatedNode(kernel, "broker", _disk.Mount) { OnFailed = OnFailed };
        _onDisk = kernel.Random.Chance(0.5);
    }

    public async Task RunAsync()
    {
        Start(TimeSpan.Zero);
        var oracles = Enumerable.Range(0, Partitions).Select(partition => new PartitionOracle(_kernel, partition)).ToArray();
        var clients = oracles.Select(NewClient).ToArray();
        await clients[0].CreateTopicAsync(Partitions);
        var working = clients.Select(client => client.RunAsync(() => _isOver)).ToArray();

        var chaos = new Chaos(_kernel, _bucket) { LongestCalm = TimeSpan.FromSeconds(8) };
        chaos.Pranks.Add(Crash);
        chaos.Pranks.Add(Crash);
        chaos.Pranks.Add(() => chaos.Sleep(_node));
        chaos.Pranks.Add(SlowDiskDown);
        if (_onDisk)
        {
            SlowDiskDown();
            chaos.Pranks.Add(() => chaos.WhenBusy(_disk, CrashUnlessOver));
        }

        var watched = Task.WhenAll(working);
        await chaos.RunAsync(() => watched.IsFaulted || _kernel.Now >= Enough && _kernel.Coverage[CoverageNames.Acknowledged] >= EnoughAcknowledgements);
        _isOver = true;
        _disk.Weather = DiskWeather.Calm;
        await watched;

        Crash();
        foreach (var client in clients)
        {
            await client.AuditAsync();
        }
    }

    private BrokerClient NewClient(PartitionOracle oracle)
    {
        // The clients are the world's: they neither die nor sleep.
        return new BrokerClient(_kernel, _kernel.World, new SimulatedClient(_kernel.World, () => _listener), oracle);
    }

    private void SlowDiskDown()
    {
        var weather = DiskWeather.Draw(_kernel.Random);
        _disk.Weather = weather with { Latency = weather.Latency * 4, WriteFails = 0, SyncFails = 0 };
    }

    private void CrashUnlessOver()
    {
        if (!_isOver)
        {
            Crash();
        }
    }

    private void Crash()
    {
        if (!_node.IsUp)
        {
            return;
        }

        _kernel.Coverage.Count("nodes: killed");
        _node.Kill();
        if (_onDisk && _kernel.Random.Chance(0.6))
        {
            _disk.CutPower();
        }

        Start(_kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)));
    }

    // A node that has lost the metadata log, or cannot start without its store, is started again.
    private void OnFailed(Exception failure)
    {
        if (failure is InvariantViolationException || failure.InnerException is not ObjectLogException)
        {
            _kernel.Fail(failure);
            return;
        }

        _kernel.At(_kernel.Now, _kernel.World, Crash);
    }

    private void Start(TimeSpan delay) => _kernel.At(_kernel.Now + delay, _kernel.World, () => _ = LiveAsync());

    private async Task LiveAsync()
    {
        try
        {
            await _node.Start(RunAsync);
        }
        catch (Exception failure) when (failure is NodeStartException or ObjectStorageException or StreamException)
        {
            _kernel.Trace.Note($"the broker has not started: {failure.Message}");
            _kernel.Coverage.Count("broker: start given up");
            Crash();
        }
        catch (Exception violation)
        {
            _kernel.Fail(violation);
        }
    }

    private async Task RunAsync(NodeRuntime runtime)
    {
        var lane = _node.Lane!;
        var buffers = _kernel.NewBufferPool();
        IObjectStorage storage = _onDisk
            ? await FileObjectStorage.OpenAsync(runtime, "/data/store", CancellationToken.None)
            : _bucket.Connect(lane);
        IWalProvider wals = _onDisk
            ? new FileWalProvider(runtime, buffers, "/data/wal", new FileWalOptions { Capacity = 4 << 20 })
            : new ObjectWalProvider(runtime, buffers, storage, new ObjectWalOptions());
        var options = NodeOptions.From(
            NodeSettings.From([KeyValuePair.Create("listeners", "PLAINTEXT://127.0.0.1:9092"), KeyValuePair.Create("offsets.topic.num.partitions", "2")]),
            "/nowhere");
        options = options with { Streams = options.Streams with { UploadInterval = TimeSpan.FromSeconds(3), NotUploadedBytes = 4 << 20 } };
        var listener = new SimulatedListener(lane);
        var components = new NodeComponents(storage, wals, kind => kind == wals.Kind ? wals : null, buffers, listener, new NobodyElse());
        await MillraceNode.StartAsync(runtime, options, components, CancellationToken.None);
        _listener = listener;
        _kernel.Coverage.Count("broker: starts");
    }

    private sealed class NobodyElse : IPeerProbe
    {
        public ValueTask<bool> AnswersAsync(string host, int port, string clusterId, CancellationToken token) => ValueTask.FromResult(false);
    }
}
