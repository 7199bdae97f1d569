using Confluent.Kafka;
using Millrace.Server.Cli.Diagnosis;

namespace Millrace.Server.Cli;

/// <summary>A consumer's run: from where, until when.</summary>
/// <param name="consumer">Its results need not name the topic if there is only one.</param>
/// <param name="topics">What it reads. Patterns begin with ^.</param>
/// <param name="watch">Knows what is wrong with the broker.</param>
/// <param name="left">What is left of the time that lookups may take.</param>
/// <param name="patience">For how long nothing may come from a partition whose end is to be reached.</param>
internal sealed class Reading(IConsumer<byte[]?, byte[]?> consumer, IReadOnlyList<string> topics, BrokerWatch watch, Func<TimeSpan> left, TimeSpan patience)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private readonly HashSet<TopicPartition> _atEnd = [];

    /// <summary>Reads the partitions of the topics without a group.</summary>
    /// <param name="partitions">Only these; all if empty.</param>
    /// <param name="start">Where to begin in each.</param>
    public void Assign(int[] partitions, ConsumeStart start) =>
        consumer.Assign(topics.SelectMany(topic => Partitions(topic, partitions)).Select(partition => Begin(partition, start)).ToList());

    /// <summary>Reads the topics as a member of the consumer's group.</summary>
    public void Subscribe()
    {
        foreach (var topic in topics.Where(topic => !topic.StartsWith('^')))
        {
            // A subscription alone would wait without end for a topic that is not there.
            _ = KnownTopic.Partitions(consumer.Handle, topic, [], left());
        }

        consumer.Subscribe(topics);
    }

    /// <summary>Prints records until there are enough, the end is reached (if wanted), or the token is cancelled.</summary>
    /// <exception cref="CommandFailedException">It ends of itself, and cannot get there for a reason that is known.</exception>
    /// <exception cref="KafkaException">What the client reports; a time-out where the end does not come.</exception>
    public void Run(RecordOutput output, long? count, bool exitAtEnd, CancellationToken token)
    {
        var left = count ?? long.MaxValue;
        var silentSince = (long?)null;
        while (left > 0 && !token.IsCancellationRequested)
        {
            var record = consumer.Consume(Poll);
            if (record is null)
            {
                output.Flush();
                EndIfStuck(silentSince ??= CommandClock.Time.GetTimestamp(), exitAtEnd, hasCount: count is not null);
                continue;
            }

            silentSince = null;
            watch.Progressed();
            if (record.IsPartitionEOF)
            {
                output.Flush();
                _atEnd.Add(new TopicPartition(record.Topic ?? topics[0], record.Partition));
                if (exitAtEnd && consumer.Assignment.All(_atEnd.Contains))
                {
                    break;
                }

            }
            else
            {
                output.Write(record);
                left--;
            }
        }

        output.Flush();
    }

    /// <summary>Commits what was read.</summary>
    public void Commit()
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

    // Who follows a topic waits for as long as the broker is away. Who wants the end of it, or so many records, wants to know that they do not come.
    private void EndIfStuck(long silentSince, bool exitAtEnd, bool hasCount)
    {
        if ((exitAtEnd || hasCount) && watch.TroubleFor(patience) is { } trouble)
        {
            throw new CommandFailedException(ExitCode.Of(trouble.Kind), trouble.Message);
        }

        if (exitAtEnd && CommandClock.Time.GetElapsedTime(silentSince) > patience)
        {
            throw new KafkaException(new Error(
                ErrorCode.Local_TimedOut,
                consumer.Assignment.Count == 0 ? "the group gave this member no partition" : "nothing came, and the end is not reached"));
        }
    }

    private IEnumerable<TopicPartition> Partitions(string topic, int[] wanted)
    {
        var all = KnownTopic.Partitions(consumer.Handle, topic, wanted, left());
        return (wanted.Length == 0 ? all : [.. wanted.Distinct()]).Select(partition => new TopicPartition(topic, partition));
    }

    private TopicPartitionOffset Begin(TopicPartition partition, ConsumeStart start)
    {
        if (start.Offset is { } offset)
        {
            // The client would take an offset that is not there for the topic's start.
            var there = consumer.QueryWatermarkOffsets(partition, left());
            return new(partition, Math.Clamp(offset, there.Low.Value, there.High.Value));
        }

        if (start.BeforeEnd is { } before)
        {
            var watermarks = consumer.QueryWatermarkOffsets(partition, left());
            return new(partition, Math.Max(watermarks.Low.Value, watermarks.High.Value - before));
        }

        if (start.Time is { } time)
        {
            return consumer.OffsetsForTimes([new TopicPartitionTimestamp(partition, new Timestamp(time, TimestampType.CreateTime))], left())[0];
        }

        return new(partition, start.Reset == AutoOffsetReset.Earliest ? Offset.Beginning : Offset.End);
    }
}
