using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Server;
using Millrace.Tests.Network.Serving;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>A node with several listeners: each client is told the addresses of the one it came by.</summary>
public sealed class NodeListenersTests
{
    private static readonly (string, string)[] Several =
    [
        ("listeners", "EXTERNAL://127.0.0.1:0,INTERNAL://localhost:0,CONTROLLER://127.0.0.1:0"),
        ("listener.security.protocol.map", "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"),
        ("controller.listener.names", "CONTROLLER"),
        ("inter.broker.listener.name", "INTERNAL"),
    ];

    [Fact]
    public async Task Each_client_is_told_the_addresses_of_the_listener_it_came_by()
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:", Several);
        var listeners = await ListenersOfAsync(node);

        Assert.Equal(["INTERNAL", "EXTERNAL"], listeners.Select(listener => listener.Name));
        Assert.Equal(((IPEndPoint)node.Host.Address).Port, listeners[1].Port);
        Assert.Single(node.Log.Saying("Not opened, since there is no quorum of controllers here that needs them: CONTROLLER://127.0.0.1:0"));
        foreach (var (name, host, port) in listeners)
        {
            Assert.Equal(name == "INTERNAL" ? "localhost" : "127.0.0.1", host);
            using var client = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
            await client.SendAsync(new MetadataRequest { Topics = [] }, version: 12, correlationId: 1);
            await client.SendAsync(new DescribeClusterRequest(), version: 0, correlationId: 2);
            await client.SendAsync(new FindCoordinatorRequest { KeyType = 0, CoordinatorKeys = ["g"] }, version: 4, correlationId: 3);
            var broker = Assert.Single((await client.ReceiveAsync<MetadataResponse>(12)).Response.Brokers);
            var described = Assert.Single((await client.ReceiveAsync<DescribeClusterResponse>(0)).Response.Brokers);
            var coordinator = Assert.Single((await client.ReceiveAsync<FindCoordinatorResponse>(4)).Response.Coordinators);
            Assert.Equal((host, port), (broker.Host, broker.Port));
            Assert.Equal((host, port), (described.Host, described.Port));
            Assert.Equal((host, port), (coordinator.Host, coordinator.Port));
        }
    }

    [Theory]
    [InlineData("PLAINTEXT://127.0.0.1:0", "PLAINTEXT://broker:9", "127.0.0.1:{0}")]
    [InlineData("PLAINTEXT://:0", "PLAINTEXT://broker:9", "broker:9")]
    [InlineData("PLAINTEXT://0.0.0.0:0", null, "{1}:{0}")]
    public async Task A_node_says_where_it_is_bound_and_of_every_interface_where_clients_are_told_to_come(
        string listeners, string? advertised, string expected)
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(
            storage, "memory:", [("listeners", listeners), .. advertised is null ? [] : new[] { ("advertised.listeners", advertised) }]);

        var port = ((IPEndPoint)node.Host.Address).Port;
        Assert.Equal(string.Format(CultureInfo.InvariantCulture, expected, port, Dns.GetHostName()), node.Host.AddressInWords);
        Assert.Single(node.Log.Saying($"Ready on {node.Host.AddressInWords} after"));
    }

    [Fact]
    public async Task A_client_of_a_listener_that_is_not_advertised_finds_no_broker_and_is_told_why()
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(
            storage,
            "memory:",
            [.. Several, ("listeners", "EXTERNAL://127.0.0.1:0,INTERNAL://127.0.0.1:0"), ("advertised.listeners", "INTERNAL://broker:9")]);
        using var client = await node.ConnectAsync();
        await client.SendAsync(
            new CreateTopicsRequest { Topics = [new() { Name = "t", NumPartitions = 1, ReplicationFactor = 1 }], TimeoutMs = 30_000 },
            version: 7, correlationId: 1);
        Assert.Equal((short)ErrorCode.None, (await client.ReceiveAsync<CreateTopicsResponse>(7)).Response.Topics[0].ErrorCode);

        foreach (var (version, expected) in new[] { ((short)5, ErrorCode.LeaderNotAvailable), ((short)6, ErrorCode.ListenerNotFound) })
        {
            await client.SendAsync(new MetadataRequest { Topics = [new() { Name = "t" }] }, version, correlationId: 2);
            var metadata = (await client.ReceiveAsync<MetadataResponse>(version)).Response;
            Assert.Empty(metadata.Brokers);
            Assert.Equal(((short)expected, -1), (metadata.Topics[0].Partitions[0].ErrorCode, metadata.Topics[0].Partitions[0].LeaderId));
        }

        await client.SendAsync(
            new DescribeTopicPartitionsRequest { Topics = [new() { Name = "t" }], ResponsePartitionLimit = 1 },
            version: 0, correlationId: 3);
        Assert.Equal(
            (short)ErrorCode.ListenerNotFound, (await client.ReceiveAsync<DescribeTopicPartitionsResponse>(0)).Response.Topics[0].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task A_listener_that_cannot_be_bound_is_named_and_the_others_are_given_up()
    {
        using var taken = new Socket(SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        await using var storage = new MemoryObjectStorage();

        var refusal = await Assert.ThrowsAsync<NodeStartException>(() => NodeUnderTest.StartAsync(
            storage, "memory:", [.. Several, ("listeners", $"EXTERNAL://127.0.0.1:0,INTERNAL://127.0.0.1:{port}")]));

        Assert.StartsWith($"Cannot listen on INTERNAL://127.0.0.1:{port}: another process does.", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("with listeners.", refusal.Message, StringComparison.Ordinal);
        await using var next = await NodeUnderTest.StartAsync(storage, "memory:", Several);
    }

    private static async Task<(string Name, string Host, int Port)[]> ListenersOfAsync(NodeUnderTest node)
    {
        using var client = await node.ConnectAsync();
        await client.SendAsync(
            new DescribeQuorumRequest { Topics = [new() { TopicName = "__cluster_metadata", Partitions = [new() { PartitionIndex = 0 }] }] },
            version: 2,
            correlationId: 1);
        var answer = (await client.ReceiveAsync<DescribeQuorumResponse>(2)).Response;
        return [.. Assert.Single(answer.Nodes).Listeners.Select(listener => (listener.Name, listener.Host, (int)listener.Port))];
    }
}
