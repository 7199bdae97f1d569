using System.Diagnostics;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Benchmarks.SideBySide;
using Millrace.Server.Cli.Brokers;

namespace Millrace.Benchmarks.Failover;

/// <summary>Brokers of one cluster, each a process of its own that keeps its name and its address.</summary>
internal sealed class ClusterUnderTest : IDisposable
{
    private readonly string _folder;
    private readonly string _store;
    private readonly MillraceUnderTest[] _brokers;
    private readonly SeparateHosts? _hosts;
    private readonly string _logLevel;
    private readonly IAdminClient _admin;

    /// <param name="folder">For data and logs.</param>
    /// <param name="store">The bucket.</param>
    /// <param name="brokers">How many.</param>
    /// <param name="hosts">One for each; null for this machine's loopback.</param>
    /// <param name="logLevel">The least that they log.</param>
    public ClusterUnderTest(string folder, string store, int brokers, SeparateHosts? hosts = null, string logLevel = "information")
    {
        (_folder, _store, _hosts, _logLevel) = (folder, store, hosts, logLevel);
        _brokers = new MillraceUnderTest[brokers];
        Parallel.For(0, brokers, index => _brokers[index] = Start(index, $"{HostOf(index)}:0"));
        BootstrapServers = string.Join(',', _brokers.Select(broker => broker.BootstrapServers));
        _admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = BootstrapServers }).Build();
    }

    public string BootstrapServers { get; }

    public int Count => _brokers.Length;

    /// <summary>Where the metrics of each are.</summary>
    public IEnumerable<Uri> Http => _brokers.Select(broker => broker.Http);

    public void PrintLogs()
    {
        for (var index = 0; index < Count; index++)
        {
            Console.WriteLine($"--- broker{index}\n{File.ReadAllText(LogOf(index))}");
        }
    }

    public void CreateTopic(string topic, int partitions) =>
        _admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = 1 }]).Wait();

    /// <summary>The broker that the controller lives in.</summary>
    public int Controller() => Find(_admin.DescribeClusterAsync().Result.Controller is { } node ? $"{node.Host}:{node.Port}" : "");

    /// <summary>Waits until every broker is known to live.</summary>
    /// <exception cref="TimeoutException">Not in time.</exception>
    public void WaitForAll(TimeSpan limit)
    {
        if (!SpinWait.SpinUntil(() => _admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers.Count == Count, limit))
        {
            throw new TimeoutException($"A broker has not come back for {limit.TotalSeconds:F0} s");
        }
    }

    /// <summary>How many partitions of a topic each broker leads.</summary>
    public int[] Leaders(string topic)
    {
        var metadata = _admin.GetMetadata(topic, TimeSpan.FromSeconds(10));
        var led = new int[Count];
        foreach (var partition in metadata.Topics[0].Partitions)
        {
            if (metadata.Brokers.Find(broker => broker.BrokerId == partition.Leader) is { } leader)
            {
                led[Find($"{leader.Host}:{leader.Port}")]++;
            }
        }

        return led;
    }

    /// <summary>Waits until so many partitions of a topic have leaders.</summary>
    /// <exception cref="TimeoutException">Not in time.</exception>
    public void WaitForLeaders(string topic, int partitions, TimeSpan limit)
    {
        if (!SpinWait.SpinUntil(() => Leaders(topic).Sum() == partitions, limit))
        {
            throw new TimeoutException($"Not {partitions} partitions of {topic} have leaders after {limit.TotalSeconds:F0} s");
        }
    }

    /// <summary>Has a broker lead all partitions of a topic, and waits until it does.</summary>
    /// <exception cref="InvalidOperationException">One of them has not moved.</exception>
    public async Task MoveAsync(string topic, int index, TimeSpan limit)
    {
        var metadata = _admin.GetMetadata(topic, TimeSpan.FromSeconds(10));
        var to = metadata.Brokers.Single(broker => $"{broker.Host}:{broker.Port}" == _brokers[index].BootstrapServers).BrokerId;
        var outcomes = await new PartitionMove(topic, to).RunAsync(
            new ClientConfig { BootstrapServers = BootstrapServers, ClientId = "bench" },
            metadata.Topics[0].Partitions.ToDictionary(partition => partition.PartitionId, partition => (IReadOnlyList<int>)partition.Replicas),
            limit,
            CancellationToken.None);
        foreach (var (partition, error) in outcomes)
        {
            if (error is not null)
            {
                throw new InvalidOperationException($"{topic}-{partition} has not moved to broker {to}: {error}");
            }
        }
    }

    public void Kill(int index) => _brokers[index].Signal("KILL");

    public void Stop(int index) => _brokers[index].Signal("STOP");

    public void Continue(int index) => _brokers[index].Signal("CONT");

    /// <summary>Starts one again that was killed; returns when it is ready.</summary>
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

    private string HostOf(int index) => _hosts is null ? "127.0.0.1" : SeparateHosts.AddressOf(index);

    private int Find(string address) =>
        Array.FindIndex(_brokers, broker => broker.BootstrapServers == address) is >= 0 and var found
            ? found
            : throw new UnreachableException($"The cluster names a broker at '{address}', and none was started there");

    private MillraceUnderTest Start(int index, string listen) => new(
        $"broker{index}",
        Checkout.Root,
        Path.Combine(_folder, $"broker{index}"),
        new StreamWriter(LogOf(index), append: true) { AutoFlush = true },
        _hosts?.On(index) ?? [],
        "--listen", listen, "--store", _store, "--wal", "object", "--name", $"broker{index}", "--log-level", _logLevel,
        "--set", $"millrace.http.listener={HostOf(index)}:0");

    private string LogOf(int index) => Path.Combine(_folder, $"broker{index}.log");
}
