using System.Collections.Concurrent;
using Confluent.Kafka;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>The only member of a group: reads a topic from its beginning, commits now and then, and notices whatever disturbs it.</summary>
internal sealed class ReadingMember : IDisposable
{
    private readonly IConsumer<Ignore, string> _consumer;
    private readonly List<(long Offset, string Producer, long Number)> _read = [];
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Thread _thread;
    private int _commits;
    private int _rebalances;
    private long _count;

    /// <param name="bootstrapServers">Any brokers.</param>
    /// <param name="topic">What it reads.</param>
    /// <param name="rack">Where it is; empty if it does not say.</param>
    /// <param name="name">Tells its group from those of others that read the same topic in the same rack.</param>
    public ReadingMember(string bootstrapServers, string topic, string rack = "", string name = "")
    {
        _consumer = new ConsumerBuilder<Ignore, string>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers,
            GroupId = $"{topic}-reader{rack}{name}",
            ClientRack = rack,
            AutoCommitIntervalMs = 500,
            AutoOffsetReset = AutoOffsetReset.Earliest,

            // The shortest that a group may ask for.
            SessionTimeoutMs = 6000,
            HeartbeatIntervalMs = 500,
        })
            .SetLogHandler((_, _) => { })
            .SetErrorHandler((_, error) => _failures.Enqueue(error.ToString()))
            .SetPartitionsAssignedHandler((_, _) => Interlocked.Increment(ref _rebalances))
            .SetOffsetsCommittedHandler((_, committed) => Interlocked.Add(ref _commits, committed.Error.IsError ? 0 : 1))
            .Build();
        _consumer.Subscribe(topic);
        _thread = new Thread(Run) { IsBackground = true, Name = "reading member" };
        _thread.Start();
    }

    /// <summary>Records read so far.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Commits that were answered without an error.</summary>
    public int Commits => Volatile.Read(ref _commits);

    /// <summary>How often it was given its partition: once, if nothing disturbed the group.</summary>
    public int Rebalances => Volatile.Read(ref _rebalances);

    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Reads no more.</summary>
    public void Stop()
    {
        _stopping.Cancel();
        _thread.Join();
    }

    /// <summary>
    /// Of a topic of one partition: each record came once, in the order of the log: all that was acknowledged, and nothing else. Stop it before.
    /// </summary>
    public void AssertRead(IReadOnlyCollection<Acknowledged> acknowledged)
    {
        Assert.Equal(Enumerable.Range(0, _read.Count).Select(offset => (long)offset), _read.Select(record => record.Offset));
        Assert.Equal(
            acknowledged.OrderBy(record => record.Offset).Select(record => (record.Offset, record.Producer, record.Number)), _read);
    }

    public void Dispose()
    {
        Stop();
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
                if (_consumer.Consume(TimeSpan.FromMilliseconds(50)) is { } record)
                {
                    var words = record.Message.Value.Split(' ');
                    _read.Add((record.Offset.Value, words[0], long.Parse(words[1])));
                    Interlocked.Increment(ref _count);
                }
            }
            catch (KafkaException failure)
            {
                _failures.Enqueue(failure.Error.ToString());
            }
        }
    }
}
