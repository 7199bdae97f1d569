using Confluent.Kafka;

namespace Millrace.Benchmarks.Failover;

/// <summary>Reads a whole topic and compares it with what was acknowledged.</summary>
internal static class LogCheck
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Each partition has to hold the records 0, 1, 2 and so on, once each, in this order and at these offsets, as they were made, and exactly as many as
    /// were acknowledged.
    /// </summary>
    /// <exception cref="InvalidOperationException">It does not.</exception>
    public static void Check(string bootstrapServers, string topic, int partitions, IRecordWriter written)
    {
        var found = Read(bootstrapServers, topic, partitions);
        for (var partition = 0; partition < partitions; partition++)
        {
            if (found[partition] != written.Acknowledged(partition))
            {
                throw new InvalidOperationException(
                    $"{topic}-{partition} holds {found[partition]} records, and {written.Acknowledged(partition)} were acknowledged");
            }
        }
    }

    /// <summary>As above, whatever was acknowledged.</summary>
    /// <returns>How many each partition holds.</returns>
    public static long[] Read(string bootstrapServers, string topic, int partitions)
    {
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = "check",
            EnableAutoCommit = false,
            EnablePartitionEof = true,
        }).SetLogHandler((_, _) => { }).Build();
        consumer.Assign(Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        var next = new long[partitions];
        for (var left = partitions; left > 0;)
        {
            var result = consumer.Consume(Limit) ?? throw new InvalidOperationException($"{left} partitions cannot be read to their end");
            var partition = result.Partition.Value;
            if (result.IsPartitionEOF)
            {
                left--;
            }
            else
            {
                var (found, expected) = (NumberedRecord.NumberOf(result.Message.Value), next[partition]++);
                if (found != expected || result.Offset.Value != expected)
                {
                    throw new InvalidOperationException($"{result.TopicPartitionOffset} holds record {found} where {expected} belongs");
                }

                if (!NumberedRecord.IsWhole(result.Message.Value))
                {
                    throw new InvalidOperationException($"{result.TopicPartitionOffset} holds record {found}, and not as it was sent");
                }
            }
        }

        return next;
    }
}
