using System.Collections.Concurrent;
using Confluent.Kafka;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>The only member of a group: polls and commits all the time, and notices whatever disturbs it.</summary>
internal sealed class CommittingMember : IDisposable
{
    private readonly IConsumer<Ignore, byte[]> _consumer;
    private readonly TopicPartition _committed;
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Thread _thread;
    private int _commits;
    private int _rebalances;

    public CommittingMember(string bootstrapServers, string topic)
    {
        _committed = new TopicPartition(topic, 0);
        _consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = $"{topic}-member",
            EnableAutoCommit = false,
            AutoOffsetReset = AutoOffsetReset.Latest,

            // The shortest that a group may ask for.
            SessionTimeoutMs = 6000,
            HeartbeatIntervalMs = 500,
        })
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, error) => _failures.Enqueue(error.ToString()))
            .SetPartitionsAssignedHandler((_, _) => Interlocked.Increment(ref _rebalances))
            .Build();
        _consumer.Subscribe(topic);
        _thread = new Thread(Run) { IsBackground = true, Name = "committing member" };
        _thread.Start();
    }

    /// <summary>Commits that were answered without an error.</summary>
    public int Commits => Volatile.Read(ref _commits);

    /// <summary>How often it was given its partitions: once, if nothing disturbed the group.</summary>
    public int Rebalances => Volatile.Read(ref _rebalances);

    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Waits until so many more commits were answered than now.</summary>
    public async Task WaitForMoreAsync(int commits)
    {
        var target = Commits + commits;
        Assert.True(
            await Eventually.BecomesTrueAsync(() => Commits >= target),
            $"Only {Commits} of {target} commits were answered. {string.Join("; ", _failures.Distinct())}");
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _thread.Join();
        _consumer.Close();
        _consumer.Dispose();
        _stopping.Dispose();
    }

    private void Run()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                _consumer.Consume(TimeSpan.FromMilliseconds(50));
                if (Rebalances > 0)
                {
                    _consumer.Commit([new TopicPartitionOffset(_committed, Commits)]);
                    Interlocked.Increment(ref _commits);
                }
            }
            catch (KafkaException failure)
            {
                _failures.Enqueue(failure.Error.ToString());
            }
        }
    }
}
