using System.Buffers.Binary;
using System.Diagnostics;
using Confluent.Kafka;

namespace Millrace.Benchmarks.Racks;

/// <summary>A consumer that says in which rack it is, and notes how long each record was on its way to it.</summary>
/// <remarks>Threading: reads on a thread of its own.</remarks>
internal sealed class RackReader : IDisposable
{
    private readonly Lock _lock = new();
    private readonly long[] _next;
    private readonly IConsumer<Ignore, byte[]> _consumer;
    private readonly Thread _thread;
    private List<double> _waits = [];
    private long _read;
    private volatile bool _stopped;
    private volatile string? _failure;

    public RackReader(string bootstrapServers, string topic, int partitions, string rack)
    {
        _next = new long[partitions];
        _consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
        {
            BootstrapServers = bootstrapServers, GroupId = "none", EnableAutoCommit = false, ClientRack = rack,
        }).SetLogHandler((_, _) => { }).Build();
        _consumer.Assign(Enumerable.Range(0, partitions).Select(partition => new TopicPartitionOffset(topic, partition, Offset.Beginning)));
        _thread = new Thread(Read) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>A record that says when it was made.</summary>
    public static byte[] Stamp(int bytes)
    {
        var value = new byte[bytes];
        BinaryPrimitives.WriteInt64BigEndian(value, Stopwatch.GetTimestamp());
        return value;
    }

    /// <summary>How long the records were on their way that came since this was called before, in milliseconds.</summary>
    public List<double> Take()
    {
        lock (_lock)
        {
            var taken = _waits;
            _waits = [];
            return taken;
        }
    }

    /// <summary>Waits until it has read so many.</summary>
    /// <exception cref="InvalidOperationException">It has not in time, has read others, or not one after another.</exception>
    public void Finish(long records, TimeSpan limit)
    {
        if (!SpinWait.SpinUntil(() => Interlocked.Read(ref _read) >= records || _failure is not null, limit) || _failure is not null || _read != records)
        {
            throw new InvalidOperationException($"{_read} of {records} records were read. {_failure}");
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
            ConsumeResult<Ignore, byte[]>? result;
            try
            {
                result = _consumer.Consume(TimeSpan.FromMilliseconds(100));
            }
            catch (ConsumeException failure)
            {
                _failure ??= failure.Error.Reason;
                continue;
            }

            if (result is null)
            {
                continue;
            }

            var wait = Stopwatch.GetElapsedTime(BinaryPrimitives.ReadInt64BigEndian(result.Message.Value)).TotalMilliseconds;
            if (result.Offset.Value != _next[result.Partition.Value]++)
            {
                _failure ??= $"{result.TopicPartitionOffset} came where {_next[result.Partition.Value] - 1} belongs.";
            }

            lock (_lock)
            {
                _waits.Add(wait);
            }

            Interlocked.Increment(ref _read);
        }
    }
}
