using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>librdkafka through Confluent.Kafka, the client most .NET, Python, Go and C users run.</summary>
[Collection(ClientTestGroup.Name)]
public sealed class ConfluentKafkaTests(SharedBroker broker)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public async Task Records_come_back_as_they_were_sent(CompressionType compression)
    {
        var topic = await CreateTopicAsync($"confluent-{compression}", partitions: 1);
        var sent = Enumerable.Range(0, 200).Select(i => new Message<byte[]?, byte[]?>
        {
            Key = i % 3 == 0 ? null : Encoding.UTF8.GetBytes($"key-{i}"),
            Value = (i % 5) switch { 0 => null, 1 => [], _ => Encoding.UTF8.GetBytes(new string('v', i * 7)) },
            Headers = [new Header("number", [(byte)i]), new Header("null", null), new Header("empty", [])],
            Timestamp = new Timestamp(1_700_000_000_000 + i, TimestampType.CreateTime),
        }).ToList();

        using (var producer = Producer(new ProducerConfig { CompressionType = compression, LingerMs = 50, Acks = Acks.All }))
        {
            var reports = await Task.WhenAll(sent.Select(message => producer.ProduceAsync(topic, message)));
            Assert.Equal(Enumerable.Range(0, sent.Count).Select(i => (long)i), reports.Select(report => report.Offset.Value));
        }

        using var consumer = Consumer("unused");
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        foreach (var (message, i) in sent.Select((message, i) => (message, i)))
        {
            var received = Next(consumer);
            Assert.Equal(i, received.Offset.Value);
            Assert.Equal(message.Key, received.Message.Key);
            Assert.Equal(message.Value, received.Message.Value);
            Assert.Equal(message.Timestamp.UnixTimestampMs, received.Message.Timestamp.UnixTimestampMs);
            Assert.Equal(
                message.Headers.Select(header => (header.Key, header.GetValueBytes())),
                received.Message.Headers.Select(header => (header.Key, header.GetValueBytes())));
        }
    }

    [Fact]
    public async Task An_idempotent_producer_writes_in_order_without_gaps()
    {
        var topic = await CreateTopicAsync("confluent-idempotent", partitions: 1);
        using (var producer = Producer(new ProducerConfig { EnableIdempotence = true, LingerMs = 1, BatchNumMessages = 10 }))
        {
            var reports = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => producer.ProduceAsync(topic, Text($"{i}"))));
            Assert.Equal(Enumerable.Range(0, 1000).Select(i => (long)i), reports.Select(report => report.Offset.Value));
        }

        using var consumer = Consumer("unused");
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        Assert.All(Enumerable.Range(0, 1000), i => Assert.Equal($"{i}", Encoding.UTF8.GetString(Next(consumer).Message.Value!)));
    }

    [Fact]
    public async Task Offsets_are_found_by_timestamp()
    {
        var topic = await CreateTopicAsync("confluent-timestamps", partitions: 1);
        using (var producer = Producer(new ProducerConfig { LingerMs = 20 }))
        {
            await Task.WhenAll(Enumerable.Range(0, 50).Select(i => producer.ProduceAsync(topic, new Message<byte[]?, byte[]?>
            {
                Value = [1],
                Timestamp = new Timestamp(1_700_000_000_000 + (i * 1000), TimestampType.CreateTime),
            })));
        }

        using var consumer = Consumer("unused");
        var partition = new TopicPartition(topic, 0);
        Assert.Equal(20, OffsetAt(1_700_000_019_001));
        Assert.Equal(20, OffsetAt(1_700_000_020_000));
        Assert.Equal(0, OffsetAt(0));
        Assert.Equal(Offset.End.Value, OffsetAt(1_700_000_100_000));

        long OffsetAt(long timestamp) => consumer
            .OffsetsForTimes([new TopicPartitionTimestamp(partition, new Timestamp(timestamp, TimestampType.CreateTime))], Limit)[0].Offset.Value;
    }

    [Fact]
    public async Task Two_members_of_a_group_share_the_partitions_and_the_second_takes_over_when_the_first_leaves()
    {
        var topic = await CreateTopicAsync("confluent-group", partitions: 4);
        using var first = Consumer("confluent-group-members");
        using var second = Consumer("confluent-group-members");
        first.Subscribe(topic);
        WaitFor(() => first.Assignment.Count == 4, first);
        second.Subscribe(topic);
        WaitFor(() => first.Assignment.Count == 2 && second.Assignment.Count == 2, first, second);
        Assert.Empty(first.Assignment.Intersect(second.Assignment));

        using (var producer = Producer(new ProducerConfig()))
        {
            await Task.WhenAll(Enumerable.Range(0, 40).Select(i => producer.ProduceAsync(new TopicPartition(topic, i % 4), Text($"{i}"))));
        }

        var received = new HashSet<string>();
        WaitFor(() => received.Count == 20, received, first);
        first.Close();
        WaitFor(() => second.Assignment.Count == 4, received, second);
        WaitFor(() => received.Count == 40, received, second);
        Assert.All(second.Committed(second.Assignment, Limit), partition => Assert.Equal(10, partition.Offset.Value));
        second.Close();
    }

    [Fact]
    public async Task Topics_can_be_described_altered_grown_trimmed_and_deleted()
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
        var topic = await CreateTopicAsync("confluent-admin", partitions: 2);
        await admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = topic, IncreaseTo = 3 }]);
        var described = await admin.DescribeTopicsAsync(TopicCollection.OfTopicNames([topic]));
        Assert.Equal([0, 1, 2], described.TopicDescriptions[0].Partitions.Select(partition => partition.Partition));

        var resource = new ConfigResource { Type = ResourceType.Topic, Name = topic };
        await admin.IncrementalAlterConfigsAsync(new()
        {
            [resource] = [new ConfigEntry { Name = "retention.ms", Value = "123456", IncrementalOperation = AlterConfigOpType.Set }],
        });
        var configs = (await admin.DescribeConfigsAsync([resource]))[0].Entries;
        Assert.Equal("123456", configs["retention.ms"].Value);
        Assert.Equal("delete", configs["cleanup.policy"].Value);
        Assert.True(configs["cleanup.policy"].IsDefault);

        using (var producer = Producer(new ProducerConfig()))
        {
            await Task.WhenAll(Enumerable.Range(0, 10).Select(i => producer.ProduceAsync(new TopicPartition(topic, 0), Text($"{i}"))));
        }

        var trimmed = await admin.DeleteRecordsAsync([new TopicPartitionOffset(topic, 0, 4)]);
        Assert.Equal(4, trimmed[0].Offset.Value);
        using var consumer = Consumer("unused");
        Assert.Equal(4, consumer.QueryWatermarkOffsets(new TopicPartition(topic, 0), Limit).Low.Value);

        await admin.DeleteTopicsAsync([topic]);
        WaitFor(() => admin.GetMetadata(Limit).Topics.All(known => known.Topic != topic));
    }

    private static Message<byte[]?, byte[]?> Text(string value) => new() { Value = Encoding.UTF8.GetBytes(value) };

    private static ConsumeResult<byte[]?, byte[]?> Next(IConsumer<byte[]?, byte[]?> consumer) =>
        consumer.Consume(Limit) ?? throw new TimeoutException("No record came");

    private static void WaitFor(Func<bool> condition, params IConsumer<byte[]?, byte[]?>[] consumers) => WaitFor(condition, [], consumers);

    private static void WaitFor(Func<bool> condition, HashSet<string> received, params IConsumer<byte[]?, byte[]?>[] consumers)
    {
        var deadline = DateTime.UtcNow + Limit;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "The condition did not come true in time");
            foreach (var consumer in consumers)
            {
                if (consumer.Consume(TimeSpan.FromMilliseconds(20)) is { } record)
                {
                    Assert.True(received.Add(Encoding.UTF8.GetString(record.Message.Value!)), "A record came twice");
                    consumer.Commit(record);
                }
            }
        }
    }

    private async Task<string> CreateTopicAsync(string name, int partitions)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.BootstrapServers }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = name, NumPartitions = partitions, ReplicationFactor = 1 }]);
        return name;
    }

    private IProducer<byte[]?, byte[]?> Producer(ProducerConfig config)
    {
        config.BootstrapServers = broker.BootstrapServers;
        return new ProducerBuilder<byte[]?, byte[]?>(config).Build();
    }

    private IConsumer<byte[]?, byte[]?> Consumer(string group) => new ConsumerBuilder<byte[]?, byte[]?>(new ConsumerConfig
    {
        BootstrapServers = broker.BootstrapServers,
        GroupId = group,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        EnableAutoCommit = false,
        SessionTimeoutMs = 6000,
        HeartbeatIntervalMs = 500,
    }).Build();
}
