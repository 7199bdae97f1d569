using Confluent.Kafka;

namespace Millrace.Benchmarks.Failover;

/// <summary>
/// A consumer of a group that reads all that an <see cref="IRecordWriter"/> writes, and commits as it goes. Each partition's records must be 0, 1, 2 and so
/// on; a group may see some of them again after a failure of its coordinator, never leave one out.
/// </summary>
/// <remarks>Threading: reads on a thread of its own.</remarks>
internal sealed class GroupReader : IDisposable
{
    private readonly string _topic;
    private readonly long[] _next;
    private readonly IConsumer<Ignore, byte[]> _consumer;
    private readonly Thread _thread;
    private volatile bool _stopped;
    private volatile string? _failure;
    private volatile string? _error;
    private long _read;
    private int _assignments;

    public GroupReader(string bootstrapServers, string topic, int partitions)
    {
        _topic = topic;
        _next = new long[partitions];
        _consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = $"readers of {topic}",
            AutoOffsetReset = AutoOffsetReset.Earliest,
            AutoCommitIntervalMs = 1_000,
        })
            .SetLogHandler((_, _) => { })
            .SetPartitionsAssignedHandler((_, _) => { Interlocked.Increment(ref _assignments); })
            .Build();
        _consumer.Subscribe(topic);
        _thread = new Thread(Read) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>How often it was given its partitions anew; 0 if nothing has disturbed the group.</summary>
    public int Rebalances => Math.Max(0, Volatile.Read(ref _assignments) - 1);

    /// <summary>Waits until it has read so many different records.</summary>
    /// <exception cref="InvalidOperationException">It has not in time, or something was missing.</exception>
    public void WaitFor(long records, TimeSpan limit)
    {
        if (!SpinWait.SpinUntil(() => Volatile.Read(ref _read) >= records || _failure is not null, limit) || _failure is not null)
        {
            throw new InvalidOperationException($"The group has read {Volatile.Read(ref _read)} of {records} records. {_failure}");
        }
    }

    /// <summary>Waits until it has read so many different records, which are all.</summary>
    /// <exception cref="InvalidOperationException">It has not in time, something was missing, or the client has given its application an error.</exception>
    public void Finish(long records, TimeSpan limit)
    {
        WaitFor(records, limit);
        if (_error is not null)
        {
            throw new InvalidOperationException($"The group that reads {_topic} saw an error: {_error}");
        }
    }

    public void Dispose()
    {
        _stopped = true;
        _thread.Join();
        _consumer.Close();
        _consumer.Dispose();
    }

    private void Read()
    {
        while (!_stopped)
        {
            try
            {
                if (_consumer.Consume(TimeSpan.FromMilliseconds(100)) is not { } result)
                {
                    continue;
                }

                ref var next = ref _next[result.Partition.Value];
                var found = NumberedRecord.NumberOf(result.Message.Value);
                if (found > next)
                {
                    _failure ??= $"{result.TopicPartitionOffset} holds record {found}, and {next} was not seen.";
                }
                else if (found == next)
                {
                    next++;
                    Interlocked.Increment(ref _read);
                }
            }
            catch (ConsumeException passing) when (!passing.Error.IsFatal)
            {
                // Kept, and told at the end: what passes is not for an application to see.
                _error ??= passing.Error.Reason;
            }
        }
    }
}
