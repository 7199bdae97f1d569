using Confluent.Kafka;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>A file as containers bring it along, with a network of their own and one for the outside: clients work by each.</summary>
public sealed class ListenersTests : IAsyncLifetime
{
    private const string File = """
        process.roles=broker,controller
        node.id=1
        controller.quorum.voters=1@localhost:9093
        controller.listener.names=CONTROLLER
        listeners=INTERNAL://127.0.0.1:0,EXTERNAL://localhost:0,CONTROLLER://localhost:9093
        listener.security.protocol.map=CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT
        inter.broker.listener.name=INTERNAL
        offsets.topic.replication.factor=1
        group.initial.rebalance.delay.ms=0
        """;

    private readonly TemporaryDirectory _directory = new();
    private MillraceProcess? _broker;

    public async ValueTask InitializeAsync()
    {
        var file = Path.Combine(_directory.Path, "server.properties");
        await System.IO.File.WriteAllTextAsync(file, File);
        _broker = await MillraceProcess.StartAsync(_directory.Path, "--config", file);
    }

    public async ValueTask DisposeAsync()
    {
        await _broker!.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Clients_produce_and_consume_by_each_listener_and_are_told_its_own_address()
    {
        var addresses = await AddressesAsync();
        Assert.Equal(["EXTERNAL", "INTERNAL"], addresses.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(addresses["INTERNAL"], _broker!.BootstrapServers);
        foreach (var (name, address) in addresses)
        {
            using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = address }).Build();
            var told = Assert.Single(admin.GetMetadata(TimeSpan.FromSeconds(60)).Brokers);
            Assert.Equal(address, $"{told.Host}:{told.Port}");
            await admin.CreateTopicsAsync([new() { Name = name, NumPartitions = 1, ReplicationFactor = 1 }]);
            using var producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = address }).Build();
            await producer.ProduceAsync(name, new Message<Null, string> { Value = $"by {name}" });
            using var consumer = new ConsumerBuilder<Ignore, string>(
                new ConsumerConfig { BootstrapServers = address, GroupId = name, AutoOffsetReset = AutoOffsetReset.Earliest }).Build();
            consumer.Subscribe(name);
            Assert.Equal($"by {name}", consumer.Consume(TimeSpan.FromSeconds(60)).Message.Value);
            consumer.Commit();
            consumer.Close();
        }

        Assert.Contains("CONTROLLER://localhost:9093", _broker.Log, StringComparison.Ordinal);
        Assert.Contains("process.roles", _broker.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kcat_lists_the_broker_by_the_address_of_its_listener()
    {
        Assert.SkipUnless(Tool.IsInstalled("kcat"), "kcat is not installed: run .ci/run, or apt-get install kcat");
        foreach (var address in (await AddressesAsync()).Values)
        {
            Assert.Contains($"broker 1 at {address}", await Tool.RunAsync("kcat", ["-b", address, "-L"]), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_address_that_is_advertised_on_the_command_line_is_what_clients_are_told()
    {
        using var directory = new TemporaryDirectory();
        await using var broker = await MillraceProcess.StartAsync(directory.Path, "--listen", "127.0.0.1:0", "--advertise", "broker.example:19092");
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();

        var told = Assert.Single(admin.GetMetadata(TimeSpan.FromSeconds(60)).Brokers);

        Assert.Equal("broker.example:19092", $"{told.Host}:{told.Port}");
    }

    /// <summary>Where each listener for clients is, by its name, with the host that clients are told.</summary>
    private async Task<Dictionary<string, string>> AddressesAsync() =>
        (await _broker!.PortsAsync(listeners: 2)).ToDictionary(
            listener => listener.Key, listener => $"{(listener.Key == "EXTERNAL" ? "localhost" : "127.0.0.1")}:{listener.Value}");
}
