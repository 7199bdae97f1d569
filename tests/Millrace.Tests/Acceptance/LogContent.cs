using Confluent.Kafka;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>Everything a topic holds, read back by a consumer of its own, and what can be said of it.</summary>
internal sealed class LogContent
{
    private readonly Dictionary<int, List<(long Offset, string Producer, long Number)>> _partitions = [];

    public long Count => _partitions.Values.Sum(records => (long)records.Count);

    public static LogContent Read(string bootstrapServers, string topic, int partitions)
    {
        var content = new LogContent();
        using var consumer = new ConsumerBuilder<Ignore, string>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = "unused",
            EnablePartitionEof = true,
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Error,
        }).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
        consumer.Assign(Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        for (var partition = 0; partition < partitions; partition++)
        {
            content._partitions[partition] = [];
        }

        var atEnd = 0;
        while (atEnd < partitions)
        {
            var record = consumer.Consume(TimeSpan.FromSeconds(60)) ?? throw new TimeoutException("The topic could not be read to its end");
            if (record.IsPartitionEOF)
            {
                atEnd++;
                continue;
            }

            var words = record.Message.Value.Split(' ');
            content._partitions[record.Partition.Value].Add((record.Offset.Value, words[0], long.Parse(words[1])));
        }

        return content;
    }

    /// <summary>All that was read before is where it was.</summary>
    public void AssertBeginsWith(LogContent before)
    {
        foreach (var (partition, records) in before._partitions)
        {
            Assert.Equal(records, _partitions[partition].Take(records.Count));
        }
    }

    /// <summary>Nothing acknowledged is lost, changed or moved; nothing is there twice or out of order; offsets have no gap.</summary>
    public void AssertHolds(IReadOnlyCollection<Acknowledged> acknowledged)
    {
        foreach (var (partition, records) in _partitions)
        {
            Assert.Equal(Enumerable.Range(0, records.Count).Select(i => (long)i), records.Select(record => record.Offset));
            foreach (var producer in records.GroupBy(record => record.Producer))
            {
                var numbers = producer.Select(record => record.Number).ToList();
                for (var i = 1; i < numbers.Count; i++)
                {
                    Assert.True(
                        numbers[i] > numbers[i - 1],
                        $"Partition {partition}: {producer.Key} {numbers[i]} stands after {numbers[i - 1]}: duplicated or reordered");
                }
            }
        }

        foreach (var promise in acknowledged)
        {
            var records = _partitions[promise.Partition];
            Assert.True(promise.Offset < records.Count, $"Lost: {promise}; the partition ends at {records.Count}");
            var (_, producer, number) = records[(int)promise.Offset];
            Assert.True((producer, number) == (promise.Producer, promise.Number), $"Altered: {promise} is {producer} {number}");
        }
    }
}
