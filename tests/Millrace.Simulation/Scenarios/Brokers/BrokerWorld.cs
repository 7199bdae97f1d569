using Millrace.Protocol;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// One whole broker that is stopped, killed and started again under its clients: plain and idempotent producers, some to many partitions
/// at once, readers, a group of two, and an administrator whose topic comes and goes.
/// </summary>
internal sealed class BrokerWorld
{
    public const string Topic = "t";
    private const string Group = "of-two";
    private const int Partitions = 2;
    private const int Members = 2;
    private const int MixedClients = 2;
    private const int EnoughAcknowledgements = 200;

    /// <summary>Bytes that a batch may have, as topics are created.</summary>
    public const int LargestBatch = 120_000;

    /// <summary>Bytes that a batch may have when a topic's limit is lowered.</summary>
    public const int SmallestLimit = 10_000;

    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestSilence = TimeSpan.FromHours(1);
    private readonly SimulationKernel _kernel;
    private readonly SimulatedBucket _bucket;
    private readonly BrokerMachine _broker;
    private NetworkWeather _network = NetworkWeather.Calm;
    private bool _isOver;

    public BrokerWorld(SimulationKernel kernel, PlantedFault? fault)
    {
        _kernel = kernel;
        _bucket = new SimulatedBucket(kernel);
        _broker = new BrokerMachine(kernel, _bucket, fault);
    }

    /// <summary>As topics are created: nothing in them expires, whatever the broker's clock says.</summary>
    public static IReadOnlyList<CreateTopicsRequest.CreatableTopicConfig> TopicConfigs { get; } =
    [
        new() { Name = "retention.ms", Value = "-1" },
        new() { Name = "message.timestamp.after.max.ms", Value = $"{long.MaxValue}" },
        new() { Name = "max.message.bytes", Value = $"{LargestBatch}" },
    ];

    /// <summary>A broker whose memory has run out may say so to the one whom it concerns; whether it was done is unknown.</summary>
    public static bool IsForWantOfMemory(SimulationKernel kernel, ErrorCode error) =>
        error == ErrorCode.UnknownServerError && kernel.Coverage["memory: ran out"] > 0;

    /// <summary>A controller that has just fenced the only broker, or is told that it stops, says what Kafka's says then.</summary>
    public static bool IsForWantOfBrokers(SimulationKernel kernel, ErrorCode error) =>
        error == ErrorCode.InvalidReplicationFactor
        && (kernel.Coverage["broker: fenced by its own controller"] > 0 || kernel.Coverage["broker: stops begun"] > 0);

    public async Task RunAsync()
    {
        _broker.Start(TimeSpan.Zero);
        ExpectProgress(acknowledgedBefore: -1);
        var topic = await new StableTopic(_kernel, _kernel.World, Connect("creator")).CreateAsync(Topic, Partitions);
        var admin = new TopicAdmin(_kernel, _kernel.World, Connect("admin"));
        var clients = topic.Partitions.Select(NewClient).ToArray();
        var group = new GroupOracle(_kernel, Group, Partitions);
        Task[] working =
        [
            .. clients.Select(client => client.RunAsync(() => _isOver)),
            .. topic.Partitions.Select(oracle => NewProducer(oracle).RunAsync(() => _isOver)),
            .. Enumerable.Range(0, Members).Select(i => NewMember(group, $"member{i}", topic).RunAsync(() => _isOver)),
            .. Enumerable.Range(0, MixedClients).Select(i => NewMixed($"mixed{i}", topic, admin).RunAsync(() => _isOver)),
            admin.RunAsync(() => _isOver),
        ];

        var watched = Task.WhenAll(working);
        await NewChaos().RunAsync(() => Array.Exists(working, task => task.IsFaulted)
            || _kernel.Now >= Enough && _kernel.Coverage[CoverageNames.Acknowledged] >= EnoughAcknowledgements);
        _isOver = true;
        _broker.CalmDown();
        _network = NetworkWeather.Calm;
        foreach (var task in working)
        {
            await task;
        }

        if (_kernel.Random.Chance(0.5))
        {
            _broker.Crash();
        }
        else
        {
            _broker.Stop();
        }

        for (var i = 0; i < clients.Length; i++)
        {
            await clients[i].AuditAsync(group.Offsets[i]);
        }

        if (admin.Current is { DeletionSent: false } left)
        {
            await AuditAsync(left);
        }
    }

    private async Task AuditAsync(TopicOracle topic)
    {
        var auditor = Connect("auditor");
        foreach (var partition in topic.Partitions)
        {
            await new PartitionReader(_kernel, auditor, new SpokenVersions(_kernel.Random), partition).AuditAsync(_kernel.World);
        }
    }

    // A broker may refuse to go on; a world in which it does so for ever shows nothing else.
    private void ExpectProgress(long acknowledgedBefore)
    {
        var acknowledged = _kernel.Coverage[CoverageNames.Acknowledged];
        if (acknowledged == acknowledgedBefore)
        {
            _kernel.Fail(new ViolationException($"Nothing has been acknowledged or audited for {LongestSilence}"));
        }

        _kernel.At(_kernel.Now + LongestSilence, _kernel.World, () => ExpectProgress(acknowledged));
    }

    private Chaos NewChaos()
    {
        var chaos = new Chaos(_kernel, _bucket) { LongestCalm = TimeSpan.FromSeconds(10) };
        chaos.Pranks.Add(_broker.Crash);
        chaos.Pranks.Add(_broker.Stop);
        chaos.Pranks.Add(StopAndCrashPerhaps);
        chaos.Pranks.Add(() => chaos.Sleep(_broker.Node));
        chaos.Pranks.Add(DiskChanges);
        chaos.Pranks.Add(NetworkChanges);
        chaos.Pranks.Add(_broker.RunOutOfMemory);
        chaos.Pranks.Add(_broker.Fence);
        chaos.Pranks.Add(_broker.Fence);
        if (_broker.ClockIsSet)
        {
            chaos.Pranks.Add(_broker.Node.SetClock);
        }

        NetworkChanges();
        if (_broker.IsOnDisk)
        {
            DiskChanges();
            chaos.Pranks.Add(() => chaos.WhenBusy(_broker.Disk, UnlessOver(_broker.Crash)));
        }

        return chaos;
    }

    // The clients are the world's: they neither die nor sleep.
    private SimulatedClient Connect(string name) => new(_kernel, _kernel.World, name, new OnlyServer(() => _broker.Listener), () => _network);

    private BrokerClient NewClient(PartitionOracle oracle)
    {
        var client = Connect($"client{oracle.Partition}");
        var versions = new SpokenVersions(_kernel.Random);
        return new BrokerClient(_kernel, _kernel.World, client, _ => client, versions, new PartitionReader(_kernel, client, versions, oracle));
    }

    private IdempotentProducer NewProducer(PartitionOracle oracle) =>
        new(_kernel, _kernel.World, Connect($"producer{oracle.Partition}"), oracle, _broker.ProducerExpiration);

    private GroupMember NewMember(GroupOracle group, string name, TopicOracle topic)
    {
        var client = Connect(name);
        var versions = new SpokenVersions(_kernel.Random);
        return new GroupMember(
            _kernel, _kernel.World, client, versions, group, [.. topic.Partitions.Select(oracle => new PartitionReader(_kernel, client, versions, oracle))]);
    }

    private MixedClient NewMixed(string name, TopicOracle stable, TopicAdmin admin) => new(_kernel, _kernel.World, Connect(name), () =>
        [
            stable,
            .. admin.Current is { } current ? [current] : Array.Empty<TopicOracle>(),
            .. admin.Former is { } former ? [former] : Array.Empty<TopicOracle>(),
        ]);

    private void DiskChanges()
    {
        // A broker's disk has less to do than the ones of the WAL scenarios: it fails more often, to fail at all.
        var weather = DiskWeather.Draw(_kernel.Random);
        _broker.Disk.Weather = weather with { Latency = weather.Latency * 4, WriteFails = weather.WriteFails * 4, SyncFails = weather.SyncFails * 4 };
        _kernel.Trace.Note($"{_broker.Disk.Weather}");
    }

    private void NetworkChanges()
    {
        _network = NetworkWeather.Draw(_kernel.Random);
        _kernel.Trace.Note($"{_network}");
    }

    private void StopAndCrashPerhaps()
    {
        _broker.Stop();
        _kernel.At(_kernel.Now + _kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)), _kernel.World, UnlessOver(_broker.Crash));
    }

    private Action UnlessOver(Action action) => () =>
    {
        if (!_isOver)
        {
            action();
        }
    };
}
