using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Benchmarks.SideBySide;

namespace Millrace.Benchmarks.Moves;

/// <summary>Three brokers of Apache Kafka's, of which the first is the controller; each partition is on all of them, so that only its leader moves.</summary>
internal sealed class KafkaCluster : IMovingCluster, IDisposable
{
    private const int Brokers = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly List<KafkaUnderTest> _brokers = [];
    private readonly ClientConfig _client;
    private readonly IAdminClient _admin;

    public KafkaCluster(string folder)
    {
        var voters = "";
        for (var index = 0; index < Brokers; index++)
        {
            var node = NodeOf(index);
            var directory = Directory.CreateDirectory(Path.Combine(folder, $"kafka{index}")).FullName;
            _brokers.Add(new KafkaUnderTest($"kafka{index}", directory, port => PropertiesOf(node, port, voters)));
            voters = $"{NodeOf(0)}@127.0.0.1:{_brokers[0].ControllerPort}";
        }

        BootstrapServers = string.Join(',', _brokers.Select(broker => broker.BootstrapServers));
        _client = new ClientConfig { BootstrapServers = BootstrapServers, ClientId = "bench" };
        _admin = new AdminClientBuilder(_client).SetLogHandler((_, _) => { }).Build();
    }

    public string BootstrapServers { get; }

    public int Count => Brokers;

    public void CreateTopic(string topic, int partitions, int leader)
    {
        // The first replica of each is the one that leads it.
        List<int> replicas = [.. Enumerable.Range(leader, Brokers).Select(index => NodeOf(index % Brokers))];
        var specification = new TopicSpecification
        {
            Name = topic,
            NumPartitions = partitions,
            ReplicasAssignments = Enumerable.Range(0, partitions).ToDictionary(at => at, _ => replicas),
        };
        _admin.CreateTopicsAsync([specification]).Wait();
    }

    public Task MoveAsync(string topic, int index, TimeSpan limit) => LeaderChange.RequireAsync(_admin, _client, topic, NodeOf(index), limit);

    public StopTimes? Stops() => null;

    public void Dispose()
    {
        _admin.Dispose();

        // The controller last: without one the others do not stop.
        foreach (var broker in Enumerable.Reverse(_brokers))
        {
            broker.Dispose();
        }
    }

    private static int NodeOf(int index) => index + 1;

    private static IEnumerable<string> PropertiesOf(int node, int port, string voters)
    {
        string[] replication = [$"offsets.topic.replication.factor={Brokers}"];
        return voters.Length == 0
            ? replication
            : [.. replication, $"node.id={node}", "process.roles=broker", $"listeners=PLAINTEXT://127.0.0.1:{port}", $"controller.quorum.voters={voters}"];
    }
}
