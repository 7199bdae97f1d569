using System.Collections.Concurrent;
using System.Diagnostics;
using Confluent.Kafka;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>
/// Several idempotent producers that write numbered records to every partition of a topic until they are stopped, and
/// remember what was acknowledged. They reconnect and retry by themselves, as an application's would. Each sends at a
/// bounded rate: a test that waits for its turn meanwhile must neither fill the disk, nor have millions to read back, nor take the machine from the
/// tests beside it.
/// </summary>
internal sealed class Load : IDisposable
{
    private readonly int _recordsPerSecond;
    private readonly List<IProducer<Null, string>> _producers = [];
    private readonly ConcurrentBag<Acknowledged> _acknowledged = [];
    private readonly ConcurrentBag<string> _failures = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Thread> _threads = [];
    private long _count;

    public Load(string bootstrapServers, string topic, int partitions, int producers, int recordBytes = 100, string name = "p", int recordsPerSecond = 1_000)
    {
        _recordsPerSecond = recordsPerSecond;
        for (var p = 0; p < producers; p++)
        {
            var producer = new ProducerBuilder<Null, string>(new ProducerConfig
            {
                BootstrapServers = bootstrapServers,
                EnableIdempotence = true,
                Acks = Acks.All,
                LingerMs = 50,
                BatchNumMessages = 200,
                QueueBufferingMaxMessages = 2000,
                MessageTimeoutMs = 0,
                ReconnectBackoffMs = 10,
                ReconnectBackoffMaxMs = 200,
                RetryBackoffMs = 20,
                RetryBackoffMaxMs = 200,
                SocketTimeoutMs = 10_000,
            }).SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
            _producers.Add(producer);
            var producerName = $"{name}{p}";
            var thread = new Thread(() => Produce(producer, producerName, topic, partitions, new string('x', recordBytes)))
            {
                IsBackground = true,
                Name = producerName,
            };
            _threads.Add(thread);
            thread.Start();
        }
    }

    /// <summary>Records acknowledged so far.</summary>
    public long Count => Interlocked.Read(ref _count);

    public IReadOnlyCollection<Acknowledged> Acknowledged => _acknowledged;

    /// <summary>What ended in an error: its outcome is unknown, but an endlessly retrying idempotent producer should have none.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Waits until so many more records are acknowledged than now.</summary>
    public async Task WaitForMoreAsync(long records, TimeSpan limit)
    {
        var target = Count + records;
        var deadline = DateTime.UtcNow + limit;
        while (Count < target)
        {
            Assert.True(
                DateTime.UtcNow < deadline,
                $"Only {Count} of {target} records were acknowledged in {limit}. {string.Join("; ", _failures.Distinct().Take(3))}");
            await Task.Delay(5);
        }
    }

    /// <summary>Sends no more and waits for every answer.</summary>
    public void Stop(TimeSpan limit)
    {
        _stopping.Cancel();
        _threads.ForEach(thread => thread.Join());
        var deadline = DateTime.UtcNow + limit;
        foreach (var producer in _producers)
        {
            while (producer.Flush(TimeSpan.FromMilliseconds(100)) > 0)
            {
                Assert.True(DateTime.UtcNow < deadline, "Producers did not get all their answers in time");
            }
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _threads.ForEach(thread => thread.Join());
        _producers.ForEach(producer => producer.Dispose());
    }

    private void Produce(IProducer<Null, string> producer, string name, string topic, int partitions, string padding)
    {
        var start = Stopwatch.GetTimestamp();
        for (var number = 0L; !_stopping.IsCancellationRequested; number++)
        {
            while (number > Stopwatch.GetElapsedTime(start).TotalSeconds * _recordsPerSecond && !_stopping.IsCancellationRequested)
            {
                producer.Poll(TimeSpan.FromMilliseconds(5));
            }

            var partition = (int)(number % partitions);
            var message = new Message<Null, string> { Value = $"{name} {number} {padding}" };
            while (!TrySend(producer, new TopicPartition(topic, partition), message, name, number) && !_stopping.IsCancellationRequested)
            {
                producer.Poll(TimeSpan.FromMilliseconds(5));
            }
        }
    }

    private bool TrySend(IProducer<Null, string> producer, TopicPartition partition, Message<Null, string> message, string name, long number)
    {
        try
        {
            producer.Produce(partition, message, report => Settle(report, name, number));
            return true;
        }
        catch (ProduceException<Null, string> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
        {
            return false;
        }
    }

    private void Settle(DeliveryReport<Null, string> report, string name, long number)
    {
        if (report.Error.IsError)
        {
            _failures.Add($"{name} {number}: {report.Error}");
            return;
        }

        _acknowledged.Add(new Acknowledged(report.Partition.Value, report.Offset.Value, name, number));
        Interlocked.Increment(ref _count);
    }
}
