using System.Text;
using System.Text.RegularExpressions;
using Confluent.Kafka;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>Where a broker of ours answers otherwise than Kafka would, unmodified clients take it well.</summary>
[Collection(ClientTestGroup.Name)]
public sealed class DeviationTests(SharedBroker broker)
{
    // More than any of the clusters has brokers.
    private const short Replicas = 5;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly string? KafkaScript = Repository.Shared("peers/kafka/kafka.sh");

    [Fact]
    public async Task A_topic_with_more_replicas_than_brokers_is_described_with_those_there_are_and_works()
    {
        using var admin = Admin();
        var brokers = admin.GetMetadata(Limit).Brokers.Count;
        await admin.CreateTopicsAsync([new() { Name = "many-replicas", NumPartitions = 2, ReplicationFactor = Replicas }]);

        Assert.All(
            admin.GetMetadata("many-replicas", Limit).Topics.Single().Partitions,
            partition => Assert.Equal((brokers, brokers), (partition.Replicas.Length, partition.InSyncReplicas.Length)));
        using (var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig { BootstrapServers = Address(), Acks = Acks.All }).Build())
        {
            await producer.ProduceAsync(new TopicPartition("many-replicas", 1), new Message<Null, byte[]> { Value = Encoding.UTF8.GetBytes("kept") });
        }

        using var consumer = new ConsumerBuilder<Ignore, byte[]>(
            new ConsumerConfig { BootstrapServers = Address(), GroupId = "many-replicas", AutoOffsetReset = AutoOffsetReset.Earliest }).Build();
        consumer.Subscribe("many-replicas");
        Assert.Equal("kept", Encoding.UTF8.GetString(consumer.Consume(Limit).Message.Value));
        consumer.Close();
    }

    [Fact]
    public async Task Javas_tools_describe_and_extend_a_topic_with_more_replicas_than_brokers()
    {
        await JavaAsync("topics", "--create", "--topic", "java-many-replicas", "--partitions", "1", "--replication-factor", $"{Replicas}");
        await JavaAsync("topics", "--alter", "--topic", "java-many-replicas", "--partitions", "2");

        var described = await JavaAsync("topics", "--describe", "--topic", "java-many-replicas");

        using var admin = Admin();
        var brokers = admin.GetMetadata(Limit).Brokers.Count;
        Assert.Equal(2, described.Lines.Count(line => Regex.IsMatch(
            line, $@"Leader: \d+\tReplicas: \d+(,\d+){{{brokers - 1}}}\tIsr: \d+(,\d+){{{brokers - 1}}}\t")));
        foreach (var check in new[] { "--under-replicated-partitions", "--unavailable-partitions", "--under-min-isr-partitions" })
        {
            Assert.DoesNotContain("Topic:", (await JavaAsync("topics", "--describe", check)).Output, StringComparison.Ordinal);
        }

        Assert.Contains(
            "5 records sent",
            (await JavaAsync("producer-perf", "--topic", "java-many-replicas", "--num-records", "5", "--record-size", "10", "--throughput", "-1")).Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kcat_lists_no_replicas_whose_brokers_do_not_exist()
    {
        Assert.SkipUnless(Tool.IsInstalled("kcat"), "kcat is not installed: run .ci/run, or apt-get install kcat");
        using var admin = Admin();
        await admin.CreateTopicsAsync([new() { Name = "kcat-many-replicas", NumPartitions = 1, ReplicationFactor = Replicas }]);

        var brokers = admin.GetMetadata(Limit).Brokers.Count;
        var listed = await Tool.RunAsync("kcat", ["-b", Address(), "-L", "-t", "kcat-many-replicas"]);

        Assert.Matches($@"partition 0, leader \d+, replicas: \d+(,\d+){{{brokers - 1}}}, isrs: \d+(,\d+){{{brokers - 1}}}\n", listed);
    }

    [Fact]
    public void Librdkafka_gives_up_at_once_where_transactions_are_not_served()
    {
        using var producer = new ProducerBuilder<Null, byte[]>(
            new ProducerConfig { BootstrapServers = Address(), TransactionalId = "deviation" }).Build();

        var refusal = Assert.Throws<KafkaException>(() => producer.InitTransactions(Limit));

        Assert.True(refusal.Error.IsFatal);
        Assert.Equal(ErrorCode.TransactionalIdAuthorizationFailed, refusal.Error.Code);
        Assert.Contains("Transactions are not served by this broker", refusal.Error.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Javas_producer_gives_up_at_once_where_transactions_are_not_served()
    {
        var result = await TryJavaAsync(
            "producer-perf", "--topic", "deviation", "--num-records", "1", "--record-size", "10", "--throughput", "-1", "--transactional-id", "deviation",
            "--transaction-duration-ms", "100");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("Transactions are not served by this broker", result.Output + result.Errors, StringComparison.Ordinal);
    }

    private IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Address() }).Build();

    private string Address()
    {
        Assert.SkipWhen(TestAgainst.IsKafka, "Kafka does otherwise");
        return broker.BootstrapServers;
    }

    private async Task<ToolResult> JavaAsync(string tool, params string[] arguments)
    {
        var result = await TryJavaAsync(tool, arguments);
        Assert.True(result.ExitCode == 0, $"{tool} {string.Join(' ', arguments)} ended with {result.ExitCode}:\n{result.Output}\n{result.Errors}");
        return result;
    }

    private async Task<ToolResult> TryJavaAsync(string tool, params string[] arguments)
    {
        Assert.SkipWhen(KafkaScript is null || !Tool.IsInstalled("java"), "Apache Kafka's tools, or Java, are not at hand");
        return await Tool.TryRunAsync(KafkaScript!, [tool, "--bootstrap-server", Address(), .. arguments], "", TimeSpan.FromMinutes(2));
    }
}
