using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Benchmarks.Moves;
using Millrace.Benchmarks.SideBySide;

namespace Millrace.Benchmarks.Failover;

/// <summary>Brokers of one cluster, each a process of its own that keeps its name and its address.</summary>
internal sealed class ClusterUnderTest : IMovingCluster, IDisposable
{
    /// <summary>The setting for a run that says itself who leads what.</summary>
    public const string Unbalanced = "millrace.balancer.mode=off";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder;
    private readonly string _store;
    private MillraceUnderTest[] _brokers;
    private readonly SeparateHosts? _hosts;
    private readonly string _logLevel;
    private readonly string[] _settings;
    private readonly string[]? _racks;
    private readonly WalPlaces _wals;
    private readonly IAdminClient _admin;

    /// <param name="folder">For data and logs.</param>
    /// <param name="store">The bucket.</param>
    /// <param name="brokers">How many.</param>
    /// <param name="hosts">One for each; null for this machine's loopback.</param>
    /// <param name="logLevel">The least that they log.</param>
    /// <param name="settings">Of each broker, as <c>--set</c> takes them.</param>
    /// <param name="racks">Where each stands; null where nobody says.</param>
    /// <param name="wals">Where their WALs lie; in the store if nobody says.</param>
    public ClusterUnderTest(
        string folder, string store, int brokers, SeparateHosts? hosts = null, string logLevel = "information", IEnumerable<string>? settings = null,
        string[]? racks = null, WalPlaces? wals = null)
    {
        (_racks, _wals) = (racks, wals ?? WalPlaces.InStore);
        (_folder, _store, _hosts, _logLevel) = (folder, store, hosts, logLevel);
        _settings = [.. (settings ?? []).SelectMany(setting => new[] { "--set", setting })];
        _brokers = new MillraceUnderTest[brokers];
        Parallel.For(0, brokers, index => _brokers[index] = Start(index, $"{HostOf(index)}:0"));
        BootstrapServers = string.Join(',', _brokers.Select(broker => broker.BootstrapServers));
        _admin = new AdminClientBuilder(Client(BootstrapServers)).SetLogHandler((_, _) => { }).Build();
    }

    public string BootstrapServers { get; }

    public int Count => _brokers.Length;

    /// <summary>The metrics of all that live.</summary>
    public IEnumerable<Metric> Metrics() => Enumerable.Range(0, Count).SelectMany(Metrics);

    /// <summary>The metrics of one.</summary>
    public IEnumerable<Metric> Metrics(int index) => Metric.Read(_brokers[index].Http);

    /// <summary>Megabytes of memory that one has now.</summary>
    public double ResidentMegabytes(int index) => _brokers[index].ResidentMegabytes;

    /// <summary>Its name for good.</summary>
    public static string NameOf(int index) => $"broker{index}";

    /// <summary>How a client connects that asks one broker, or whoever of all answers first, in an order of its own.</summary>
    public ClientConfig Client(int? only = null)
    {
        string[] addresses = [.. only is { } index ? [_brokers[index].BootstrapServers] : _brokers.Select(broker => broker.BootstrapServers)];
        Random.Shared.Shuffle(addresses);
        return Client(string.Join(',', addresses));
    }

    /// <summary>Runs one of the program's commands on the cluster.</summary>
    /// <returns>What it has written.</returns>
    /// <exception cref="InvalidOperationException">It has failed.</exception>
    public string Command(string command) =>
        ProgramRun.Run(Path.Combine(Checkout.Root, "millrace"), [.. command.Split(' '), "-b", BootstrapServers]);

    /// <summary>The file that has what one logs.</summary>
    public string LogOf(int index) => Path.Combine(_folder, $"{NameOf(index)}.log");

    public void PrintLogs()
    {
        for (var index = 0; index < Count; index++)
        {
            Console.WriteLine($"--- broker{index}\n{File.ReadAllText(LogOf(index))}");
        }
    }

    /// <summary>Everybody leads some of it, in turn.</summary>
    public void CreateTopic(string topic, int partitions) =>
        Create(new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = 1 });

    /// <inheritdoc/>
    public void CreateTopic(string topic, int partitions, int leader) => CreateTopic(topic, partitions, [leader]);

    /// <summary>All of it has the same replicas, the leader first.</summary>
    public void CreateTopic(string topic, int partitions, int[] replicas) => Create(new TopicSpecification
    {
        Name = topic,
        NumPartitions = partitions,
        ReplicasAssignments = Enumerable.Range(0, partitions).ToDictionary(at => at, _ => replicas.Select(index => _brokers[index].Node).ToList()),
    });

    /// <summary>The broker that the controller lives in.</summary>
    public int Controller() => Find(_admin.DescribeClusterAsync().Result.Controller?.Id ?? -1);

    /// <summary>The id of one in the cluster.</summary>
    public int NodeOf(int index) => _brokers[index].Node;

    /// <summary>How many brokers live, whoever has started them.</summary>
    public int Members() => _admin.GetMetadata(Patience).Brokers.Count;

    /// <summary>Waits until every broker is known to live.</summary>
    /// <exception cref="TimeoutException">Not in time.</exception>
    public void WaitForAll(TimeSpan limit)
    {
        if (!SpinWait.SpinUntil(() => Members() == Count, limit))
        {
            throw new TimeoutException($"A broker has not come back for {limit.TotalSeconds:F0} s");
        }
    }

    /// <summary>How many partitions of a topic each broker leads.</summary>
    public int[] Leaders(string topic)
    {
        var led = new int[Count];
        foreach (var leader in LeaderOfEach(topic).Where(leader => leader is not null))
        {
            led[leader!.Value]++;
        }

        return led;
    }

    /// <summary>The broker that leads each partition of a topic; null where nobody does.</summary>
    public int?[] LeaderOfEach(string topic) =>
    [
        .. _admin.GetMetadata(topic, Patience).Topics[0].Partitions
            .OrderBy(partition => partition.PartitionId)
            .Select(partition => partition.Leader < 0 ? (int?)null : Find(partition.Leader)),
    ];

    /// <summary>Waits until so many partitions of a topic have leaders.</summary>
    /// <exception cref="TimeoutException">Not in time.</exception>
    public void WaitForLeaders(string topic, int partitions, TimeSpan limit)
    {
        if (!SpinWait.SpinUntil(() => Leaders(topic).Sum() == partitions, limit))
        {
            throw new TimeoutException($"Not {partitions} partitions of {topic} have leaders after {limit.TotalSeconds:F0} s");
        }
    }

    /// <inheritdoc/>
    public Task MoveAsync(string topic, int index, TimeSpan limit) => LeaderChange.RequireAsync(_admin, Client(), topic, _brokers[index].Node, limit);

    /// <inheritdoc cref="LeaderChange.TryAsync"/>
    public Task<IReadOnlyDictionary<int, Error?>> TryMoveAsync(string topic, Func<int, bool> areMeant, int index, TimeSpan limit) =>
        LeaderChange.TryAsync(_admin, Client(), topic, areMeant, _brokers[index].Node, limit);

    /// <inheritdoc/>
    public StopTimes? Stops() => StopTimes.Read(this);

    /// <summary>Another one joins; returns when it is ready. Clients hear of it from the others.</summary>
    public void Add() => _brokers = [.. _brokers, Start(Count, $"{HostOf(Count)}:0")];

    /// <summary>Whether it has neither ended nor been killed.</summary>
    public bool IsRunning(int index) => _brokers[index].IsRunning;

    public void Kill(int index) => _brokers[index].Signal("KILL");

    /// <summary>Stops one in good order, and waits for its end.</summary>
    public void Terminate(int index) => _brokers[index].Stop();

    public void Stop(int index) => _brokers[index].Signal("STOP");

    public void Continue(int index) => _brokers[index].Signal("CONT");

    /// <summary>Whether brokers can be cut off from each other: each is on a host of its own.</summary>
    public bool CanCut => _hosts is not null;

    /// <summary>Nothing reaches the others any more that one sends; needs hosts of their own.</summary>
    public void CutFromPeers(int index) =>
        _hosts!.Cut(index, Enumerable.Range(0, Count).Where(other => other != index).Select(SeparateHosts.AddressOf), outgoing: true, refuse: false);

    /// <summary>Takes that back.</summary>
    public void Heal(int index) => _hosts!.Heal(index);

    /// <summary>Starts one again that has ended; returns when it is ready.</summary>
    public void Restart(int index)
    {
        var address = _brokers[index].BootstrapServers;
        _brokers[index].Dispose();
        _brokers[index] = Start(index, address);
    }

    public void Dispose()
    {
        _admin.Dispose();
        Parallel.ForEach(_brokers, broker => broker.Dispose());
    }

    private void Create(TopicSpecification topic) =>
        _admin.CreateTopicsAsync([topic], new CreateTopicsOptions { RequestTimeout = Patience, OperationTimeout = Patience }).Wait();

    private string HostOf(int index) => _hosts is null ? "127.0.0.1" : SeparateHosts.AddressOf(index);

    private int Find(int node) =>
        Array.FindIndex(_brokers, broker => broker.Node == node) is >= 0 and var found
            ? found
            : throw new InvalidOperationException($"The cluster names a broker {node}, and none of that id was started");

    private static ClientConfig Client(string bootstrapServers) => new() { BootstrapServers = bootstrapServers, ClientId = "bench" };

    private MillraceUnderTest Start(int index, string listen) => new(
        NameOf(index),
        Checkout.Root,
        Path.Combine(_folder, NameOf(index)),
        new StreamWriter(LogOf(index), append: true) { AutoFlush = true },
        _hosts?.On(index) ?? [],
        [
            "--listen", listen, "--store", _store, .. _wals.ArgumentsOf(index), "--name", NameOf(index), "--log-level", _logLevel,
            "--set", $"millrace.http.listener={HostOf(index)}:0", .. _settings, .. _racks is null ? (string[])[] : ["--set", $"broker.rack={_racks[index]}"],
        ]);
}
