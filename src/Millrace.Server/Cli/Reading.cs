using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>A consumer's run: from where, until when.</summary>
internal sealed class Reading(IConsumer<byte[]?, byte[]?> consumer, TimeSpan timeout)
{
    private readonly HashSet<TopicPartition> _atEnd = [];

    /// <summary>Reads the partitions of topics without a group.</summary>
    /// <param name="topics">Must exist.</param>
    /// <param name="partitions">Only these; all if empty.</param>
    /// <param name="start">Where to begin in each.</param>
    public void Assign(IEnumerable<string> topics, int[] partitions, ConsumeStart start) =>
        consumer.Assign(topics.SelectMany(topic => Partitions(topic, partitions)).Select(partition => Begin(partition, start)).ToList());

    /// <summary>Reads topics as a member of the consumer's group.</summary>
    /// <param name="topics">Must exist, unless they are patterns, which begin with ^.</param>
    public void Subscribe(IReadOnlyList<string> topics)
    {
        // A subscription alone would wait without end for a broker that is not there.
        foreach (var topic in topics)
        {
            if (topic.StartsWith('^'))
            {
                using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
                admin.GetMetadata(timeout);
            }
            else
            {
                _ = Partitions(topic, []);
            }
        }

        consumer.Subscribe(topics);
    }

    /// <summary>Hands over records until there are enough, the end is reached (if wanted), or the token is cancelled.</summary>
    public void Run(
        Action<ConsumeResult<byte[]?, byte[]?>> write, Action flush, long? count, bool exitAtEnd, bool commit, CancellationToken token)
    {
        var left = count ?? long.MaxValue;
        while (left > 0 && !token.IsCancellationRequested)
        {
            var record = consumer.Consume(TimeSpan.FromMilliseconds(100));
            if (record is null)
            {
                flush();
            }
            else if (record.IsPartitionEOF)
            {
                flush();
                _atEnd.Add(record.TopicPartition);
                if (exitAtEnd && consumer.Assignment.All(_atEnd.Contains))
                {
                    break;
                }
            }
            else
            {
                write(record);
                left--;
            }
        }

        flush();
        if (commit)
        {
            Commit();
        }
    }

    private void Commit()
    {
        try
        {
            consumer.Commit();
        }
        catch (KafkaException nothing) when (nothing.Error.Code == ErrorCode.Local_NoOffset)
        {
            // Nothing was read, so there is nothing to commit.
        }
    }

    private List<TopicPartition> Partitions(string topic, int[] wanted)
    {
        using var admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        var metadata = admin.GetMetadata(topic, timeout).Topics[0];
        if (metadata.Error.Code == ErrorCode.UnknownTopicOrPart)
        {
            throw new CommandFailedException(ExitCode.NotFound, $"There is no topic '{topic}'. `millrace topic list` shows those there are.");
        }

        if (metadata.Error.IsError)
        {
            throw new KafkaException(metadata.Error);
        }

        var all = metadata.Partitions.Select(partition => partition.PartitionId).Order().ToList();
        foreach (var partition in wanted.Except(all).Take(1))
        {
            throw new CommandFailedException(ExitCode.NotFound, $"Topic '{topic}' has no partition {partition}; it has {all.Count}.");
        }

        return [.. (wanted.Length == 0 ? all : [.. wanted.Distinct()]).Select(partition => new TopicPartition(topic, partition))];
    }

    private TopicPartitionOffset Begin(TopicPartition partition, ConsumeStart start)
    {
        if (start.Offset is { } offset)
        {
            // The client would take an offset that is not there for the topic's start.
            var there = consumer.QueryWatermarkOffsets(partition, timeout);
            return new(partition, Math.Clamp(offset, there.Low.Value, there.High.Value));
        }

        if (start.BeforeEnd is { } before)
        {
            var watermarks = consumer.QueryWatermarkOffsets(partition, timeout);
            return new(partition, Math.Max(watermarks.Low.Value, watermarks.High.Value - before));
        }

        if (start.Time is { } time)
        {
            return consumer.OffsetsForTimes([new TopicPartitionTimestamp(partition, new Timestamp(time, TimestampType.CreateTime))], timeout)[0];
        }

        return new(partition, start.Reset == AutoOffsetReset.Earliest ? Offset.Beginning : Offset.End);
    }
}
