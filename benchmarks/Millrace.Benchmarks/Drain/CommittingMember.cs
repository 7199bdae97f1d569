using Confluent.Kafka;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Drain;

/// <summary>The only member of a group: it commits at a steady pace, one offset more each time, and reads nothing.</summary>
/// <remarks>Threading: works on a thread of its own.</remarks>
internal sealed class CommittingMember : IDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    private readonly AcknowledgementGaps _gaps = new(partitions: 1);
    private readonly TopicPartition _partition;
    private readonly IConsumer<Ignore, Ignore> _consumer;
    private readonly Thread _thread;
    private volatile bool _stopped;
    private volatile string? _error;
    private int _errors;
    private int _assignments;
    private long _committed;

    /// <param name="bootstrapServers">Of the cluster.</param>
    /// <param name="topic">Whose first partition it gets.</param>
    /// <param name="group">Its group.</param>
    public CommittingMember(string bootstrapServers, string topic, string group)
    {
        (Group, _partition) = (group, new TopicPartition(topic, 0));
        _consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = group,
            EnableAutoCommit = false,

            // The shortest that a group may ask for.
            SessionTimeoutMs = 6_000,
            HeartbeatIntervalMs = 500,
        })
            .SetLogHandler((_, _) => { })
            .SetPartitionsAssignedHandler((_, _) => { Interlocked.Increment(ref _assignments); })
            .Build();
        _consumer.Subscribe(topic);
        _thread = new Thread(Work) { IsBackground = true };
        _thread.Start();
    }

    public string Group { get; }

    /// <summary>How often the group gave it its partition: once, if nothing has disturbed it.</summary>
    public int Assignments => Volatile.Read(ref _assignments);

    /// <summary>Commits that were refused, or not answered.</summary>
    public int Errors => Volatile.Read(ref _errors);

    /// <summary>The first of them.</summary>
    public string? Error => _error;

    /// <summary>The last offset whose commit was acknowledged.</summary>
    public long Committed => Interlocked.Read(ref _committed);

    /// <summary>The longest time between two commits that were acknowledged, since this was called before.</summary>
    public TimeSpan LongestGap() => _gaps.Take()[0];

    /// <summary>Commits nothing more, and stays a member.</summary>
    public void Stop()
    {
        _stopped = true;
        _thread.Join();
    }

    public void Dispose()
    {
        Stop();
        _consumer.Close();
        _consumer.Dispose();
    }

    private void Work()
    {
        for (var offset = 1L; !_stopped;)
        {
            // Nothing comes, but the group's own events.
            _consumer.Consume(Pace);
            if (Assignments == 0)
            {
                continue;
            }

            try
            {
                _consumer.Commit([new TopicPartitionOffset(_partition, offset)]);
                Interlocked.Exchange(ref _committed, offset++);
                _gaps.Acknowledge(0);
            }
            catch (KafkaException refused) when (!refused.Error.IsFatal)
            {
                // Counted; an application commits again, too.
                Interlocked.Increment(ref _errors);
                _error ??= refused.Error.Reason;
            }
        }
    }
}
