using System.Buffers;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Server.Options;
using Millrace.Network.Links;
using Millrace.Server.Cli;
using Millrace.Tests.Broker.Partitions;
using Millrace.Tests.Clients;
using Millrace.Tests.Protocol.Messages;
using Xunit;
using ErrorCode = Millrace.Protocol.ErrorCode;

namespace Millrace.Tests.Acceptance;

/// <summary>Three brokers in processes of their own: whichever is asked for the cluster, by whatever client, tells the same, and it is true.</summary>
public sealed class AnswersOfAnyBrokerTests(RackedCluster asked) : IClassFixture<RackedCluster>
{
    private const string Group = "asked-for";
    private const string Python = "/usr/bin/python3";
    private static readonly string? JavaTools = Repository.Shared("peers/kafka/kafka.sh");

    private readonly BrokerCluster _cluster = asked.Brokers;

    [Fact]
    public async Task Brokers_racks_leaders_and_coordinators_are_the_same_from_each()
    {
        var expected = _cluster.Select((broker, index) => (broker.Node, broker.BootstrapServers, $"rack-{index}")).Order().ToList();
        Assert.Single(_cluster.Select(broker => broker.ClusterId).Distinct());
        Assert.True(await Eventually.BecomesTrueAsync(async () => (await FromEachAsync(CoordinatorAsync)).Distinct().Count() == 1));
        Assert.True(await Eventually.BecomesTrueAsync(async () => (await FromEachAsync(PartitionsAsync)).Distinct().Count() == 1));
        Assert.Single((await FromEachAsync(MetadataAsync)).Distinct());
        Assert.Single((await FromEachAsync(ClusterAsync)).Distinct());
        foreach (var broker in _cluster)
        {
            await using var connection = await ConnectAsync(broker);
            var cluster = await connection.CallAsync<DescribeClusterRequest, DescribeClusterResponse>(new() { EndpointType = 1 }, 2, default);
            var metadata = await connection.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = "asked" }] }, 12, default);

            Assert.Equal(broker.ClusterId, cluster.ClusterId);
            Assert.Equal(expected, cluster.Brokers.Select(node => (node.BrokerId, $"{node.Host}:{node.Port}", node.Rack!)).Order());
            Assert.Equal(expected, metadata.Brokers.Select(node => (node.NodeId, $"{node.Host}:{node.Port}", node.Rack!)).Order());
            Assert.Equal(cluster.ControllerId, metadata.ControllerId);
            Assert.Equal(
                expected.Select(node => node.Node), metadata.Topics[0].Partitions.Select(partition => partition.LeaderId).Distinct().Order());
        }
    }

    [Fact]
    public async Task By_each_listener_brokers_coordinators_and_leaders_are_told_by_their_addresses_on_that_listener()
    {
        foreach (var (listener, host) in RackedCluster.Listeners)
        {
            var addresses = new Dictionary<int, string>();
            foreach (var broker in _cluster)
            {
                addresses.Add(broker.Node, $"{host}:{(await broker.PortsAsync(RackedCluster.Listeners.Count))[listener]}");
            }

            foreach (var (node, address) in addresses)
            {
                await using var connection = await ConnectAsync(address);
                var metadata = await connection.CallAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = "asked" }] }, 12, default);
                var cluster = await connection.CallAsync<DescribeClusterRequest, DescribeClusterResponse>(new() { EndpointType = 1 }, 2, default);
                Assert.Equal(addresses, metadata.Brokers.ToDictionary(told => told.NodeId, told => $"{told.Host}:{told.Port}"));
                Assert.Equal(addresses, cluster.Brokers.ToDictionary(told => told.BrokerId, told => $"{told.Host}:{told.Port}"));

                FindCoordinatorResponse.Coordinator? coordinator = null;
                Assert.True(await Eventually.BecomesTrueAsync(async () =>
                {
                    var request = new FindCoordinatorRequest { KeyType = 0, CoordinatorKeys = [Group] };
                    coordinator = (await connection.CallAsync<FindCoordinatorRequest, FindCoordinatorResponse>(request, 4, default)).Coordinators[0];
                    return coordinator.ErrorCode == 0;
                }));
                Assert.Equal(addresses[coordinator!.NodeId], $"{coordinator.Host}:{coordinator.Port}");

                var elsewhere = metadata.Topics[0].Partitions.First(partition => partition.LeaderId != node);
                var leader = (elsewhere.LeaderId, elsewhere.LeaderEpoch, addresses[elsewhere.LeaderId]);
                Assert.Null(await AskProduceAsync(connection, version: 9, elsewhere.PartitionIndex));
                Assert.Equal(leader, await AskProduceAsync(connection, version: 10, elsewhere.PartitionIndex));
                Assert.Null(await AskFetchAsync(connection, version: 15, metadata.Topics[0].TopicId, elsewhere.PartitionIndex));
                Assert.Equal(leader, await AskFetchAsync(connection, version: 16, metadata.Topics[0].TopicId, elsewhere.PartitionIndex));
            }
        }
    }

    [Fact]
    public async Task Confluents_admin_client_sees_all_brokers_and_racks_through_each()
    {
        foreach (var broker in _cluster)
        {
            using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
            var described = await admin.DescribeClusterAsync(new DescribeClusterOptions { RequestTimeout = TimeSpan.FromSeconds(30) });
            var topics = await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(["asked"]));

            Assert.Equal(["rack-0", "rack-1", "rack-2"], described.Nodes.Select(node => node.Rack).Order());
            Assert.Contains(described.Controller.Id, described.Nodes.Select(node => node.Id));
            Assert.All(topics.TopicDescriptions[0].Partitions, partition => Assert.NotNull(partition.Leader));
        }
    }

    [Fact]
    public async Task Kcat_sees_all_brokers_and_leaders_through_each()
    {
        Assert.SkipUnless(Tool.IsInstalled("kcat"), "kcat is not installed: run .ci/run, or apt-get install kcat");
        foreach (var broker in _cluster)
        {
            var listed = JsonNode.Parse(await Tool.RunAsync("kcat", ["-b", broker.BootstrapServers, "-L", "-J", "-t", "asked"]))!;

            Assert.Equal(_cluster.Select(each => each.Node).Order(), listed["brokers"]!.AsArray().Select(node => (int)node!["id"]!).Order());
            Assert.Equal(9, listed["topics"]![0]!["partitions"]!.AsArray().Count(partition => (int)partition!["leader"]! >= 0));
        }
    }

    [Fact]
    public async Task Python_sees_all_brokers_through_each()
    {
        await KafkaPythonTests.SkipUnlessInstalledAsync();
        const string script = """
            import sys
            from kafka.admin import KafkaAdminClient
            print(*sorted(node["rack"] for node in KafkaAdminClient(bootstrap_servers=sys.argv[1]).describe_cluster()["brokers"]))
            """;
        foreach (var broker in _cluster)
        {
            Assert.Equal("rack-0 rack-1 rack-2", (await Tool.RunAsync(Python, ["-c", script, broker.BootstrapServers])).Trim());
        }
    }

    [Fact]
    public async Task Javas_tools_see_all_brokers_through_each_and_unregister_one_that_is_away()
    {
        Assert.SkipWhen(JavaTools is null || !Tool.IsInstalled("java"), "Apache Kafka's tools, or Java, are not at hand");
        foreach (var broker in _cluster)
        {
            var endpoints = await JavaAsync(broker, "list-endpoints");
            Assert.All(["rack-0", "rack-1", "rack-2"], rack => Assert.Contains(rack, endpoints.Output, StringComparison.Ordinal));
        }

        // The others are still asked: one more comes, and goes.
        using var directory = new TemporaryDirectory();
        await using var away = await asked.AddAsync(directory.Path, rack: "rack-3");
        Assert.Contains("is alive", (await JavaAsync(_cluster[0], "unregister", "--id", $"{away.Node}")).Everything, StringComparison.Ordinal);
        Assert.Contains("rack-3", (await JavaAsync(_cluster[1], "list-endpoints")).Output, StringComparison.Ordinal);
        Assert.Equal(0, await away.StopAsync());
        var removed = await JavaAsync(_cluster[0], "unregister", "--id", $"{away.Node}");
        Assert.Contains($"Broker {away.Node} is no longer registered.", removed.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain("rack-3", (await JavaAsync(_cluster[1], "list-endpoints")).Output, StringComparison.Ordinal);

        // Clients are told of one that is gone for some seconds more.
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
            (await FromEachAsync(MetadataAsync)).All(told => !told.Contains("rack-3", StringComparison.Ordinal))));
    }

    private static async Task<(string Output, string Everything)> JavaAsync(MillraceProcess broker, string command, params string[] arguments)
    {
        var result = await Tool.TryRunAsync(
            JavaTools!, ["cluster", command, "--bootstrap-server", broker.BootstrapServers, .. arguments], "", TimeSpan.FromMinutes(2));
        return (result.Output, $"{result.Output}\n{result.Errors}");
    }

    private async Task<string[]> FromEachAsync(Func<PeerConnection, Task<string>> ask)
    {
        var answers = new List<string>();
        foreach (var broker in _cluster)
        {
            await using var connection = await ConnectAsync(broker);
            answers.Add(await ask(connection));
        }

        return [.. answers];
    }

    private static Task<PeerConnection> ConnectAsync(MillraceProcess broker) => ConnectAsync(broker.BootstrapServers);

    private static async Task<PeerConnection> ConnectAsync(string broker)
    {
        var address = HostPort.Parse(broker, "address");
        return await BrokerConnections.OpenAsync(address.Host, address.Port, "test", default);
    }

    /// <summary>Who leads a partition, as a produce is told that came to another; null where it is told nothing but that.</summary>
    private static async Task<(int Leader, int Epoch, string Address)?> AskProduceAsync(PeerConnection connection, short version, int partition)
    {
        var request = new ProduceRequest
        {
            Acks = -1,
            TimeoutMs = 30_000,
            TopicData = [new() { Name = "asked", PartitionData = [new() { Index = partition, Records = new ReadOnlySequence<byte>(Batches.Of("a")) }] }],
        };
        var answer = await connection.CallAsync<ProduceRequest, ProduceResponse>(request, version, default);
        var answered = answer.Responses[0].PartitionResponses[0];
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (ErrorCode)answered.ErrorCode);
        var endpoint = answer.NodeEndpoints.SingleOrDefault(endpoint => endpoint.NodeId == answered.CurrentLeader?.LeaderId);
        return endpoint is null ? null : (endpoint.NodeId, answered.CurrentLeader!.LeaderEpoch, $"{endpoint.Host}:{endpoint.Port}");
    }

    /// <summary>As above, of a fetch.</summary>
    private static async Task<(int Leader, int Epoch, string Address)?> AskFetchAsync(PeerConnection connection, short version, Guid topic, int partition)
    {
        var request = new FetchRequest
        {
            MaxBytes = 1_000,
            Topics = [new() { TopicId = topic, Partitions = [new() { Partition = partition, PartitionMaxBytes = 1_000 }] }],
        };
        var answer = await connection.CallAsync<FetchRequest, FetchResponse>(request, version, default);
        var answered = answer.Responses[0].Partitions[0];
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (ErrorCode)answered.ErrorCode);
        var endpoint = answer.NodeEndpoints.SingleOrDefault(endpoint => endpoint.NodeId == answered.CurrentLeader?.LeaderId);
        return endpoint is null ? null : (endpoint.NodeId, answered.CurrentLeader!.LeaderEpoch, $"{endpoint.Host}:{endpoint.Port}");
    }

    private static Task<string> MetadataAsync(PeerConnection connection) =>
        PrintAsync<MetadataRequest, MetadataResponse>(connection, new() { Topics = null }, 12);

    private static Task<string> ClusterAsync(PeerConnection connection) =>
        PrintAsync<DescribeClusterRequest, DescribeClusterResponse>(connection, new() { EndpointType = 1, IncludeFencedBrokers = true }, 2);

    private static Task<string> PartitionsAsync(PeerConnection connection) =>
        PrintAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(
            connection, new() { Topics = [new() { Name = "asked" }], ResponsePartitionLimit = 100 }, 0);

    private static Task<string> CoordinatorAsync(PeerConnection connection) =>
        PrintAsync<FindCoordinatorRequest, FindCoordinatorResponse>(connection, new() { KeyType = 0, CoordinatorKeys = [Group] }, 4);

    private static async Task<string> PrintAsync<TRequest, TResponse>(PeerConnection connection, TRequest request, short version)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        MessagePrinter.Print(await connection.CallAsync<TRequest, TResponse>(request, version, default));
}
