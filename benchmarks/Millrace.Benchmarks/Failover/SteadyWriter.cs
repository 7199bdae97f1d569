using System.Diagnostics;
using Confluent.Kafka;

namespace Millrace.Benchmarks.Failover;

/// <summary>An ordinary idempotent producer of librdkafka's, in this process.</summary>
/// <remarks>Threading: produces on a thread of its own, counts on the client's.</remarks>
internal sealed class SteadyWriter : IRecordWriter
{
    private readonly Lock _probing = new();
    private readonly string _topic;
    private readonly long[] _sent;
    private readonly long[] _acknowledged;
    private readonly AcknowledgementGaps _gaps;
    private readonly AcknowledgementGaps _gapsOfAll = new(partitions: 1);
    private readonly List<double> _latencies = [];
    private readonly IProducer<Null, byte[]> _producer;
    private readonly WriterOptions _options;
    private readonly Thread _thread;
    private volatile bool _stopped;
    private volatile string? _failure;
    private volatile TaskCompletionSource<Probe>? _wanted;

    public SteadyWriter(string bootstrapServers, string topic, int partitions, WriterOptions options)
    {
        (_topic, _options) = (topic, options);
        _gaps = new AcknowledgementGaps(partitions);
        (_sent, _acknowledged) = (new long[partitions], new long[partitions]);
        var config = new ProducerConfig
        {
            BootstrapServers = bootstrapServers,
            EnableIdempotence = true,
            DeliveryReportFields = "status",

            // The pace is kept whatever happens: what waits meanwhile has to fit.
            QueueBufferingMaxMessages = 2_000_000,
        };
        if (options.RequestTimeout is { } timeout)
        {
            config.RequestTimeoutMs = config.SocketTimeoutMs = (int)timeout.TotalMilliseconds;
        }

        if (options.RetryBackoff is { } backoff)
        {
            config.RetryBackoffMs = config.RetryBackoffMaxMs = (int)backoff.TotalMilliseconds;
        }

        _producer = new ProducerBuilder<Null, byte[]>(config).SetLogHandler((_, _) => { }).Build();
        _thread = new Thread(Write) { IsBackground = true };
        _thread.Start();
    }

    public long Count => Enumerable.Range(0, _acknowledged.Length).Sum(Acknowledged);

    public long Acknowledged(int partition) => Volatile.Read(ref _acknowledged[partition]);

    public TimeSpan[] LongestGaps() => _gaps.Take();

    /// <summary>The longest time between two acknowledgements, whichever their partitions, since this was called before.</summary>
    public TimeSpan LongestGap() => _gapsOfAll.Take()[0];

    /// <summary>How long each record took from sending to its acknowledgement, in milliseconds.</summary>
    public double[] Latencies()
    {
        lock (_latencies)
        {
            return [.. _latencies];
        }
    }

    /// <summary>Sends a record to every partition now, beside its steady ones, and tells when each is acknowledged.</summary>
    public Probe ProbeAll()
    {
        var wanted = new TaskCompletionSource<Probe>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_probing)
        {
            _wanted = wanted;
            return wanted.Task.Result;
        }
    }

    public void WaitForAll(TimeSpan limit) => ProbeAll().Wait(limit);

    public void Finish()
    {
        Stop();
        _producer.Flush(TimeSpan.FromSeconds(60));
        if (_failure is not null || !_sent.AsSpan().SequenceEqual(_acknowledged))
        {
            throw new InvalidOperationException($"{Count} of {_sent.Sum()} records were acknowledged. {_failure}");
        }
    }

    public void Dispose()
    {
        Stop();
        _producer.Dispose();
    }

    private void Stop()
    {
        _stopped = true;
        _thread.Join();
    }

    private void Write()
    {
        var (clock, sent) = (Stopwatch.StartNew(), 0L);
        while (!_stopped)
        {
            if (_wanted is { } wanted)
            {
                _wanted = null;
                wanted.SetResult(Probe());
            }

            for (var due = (long)(clock.Elapsed.TotalSeconds * _options.RecordsPerSecond); sent < due; sent++)
            {
                Produce((int)(sent % _sent.Length), null);
            }

            Thread.Sleep(1);
        }
    }

    private Probe Probe()
    {
        var probe = new Probe(_sent.Length);
        for (var partition = 0; partition < _sent.Length; partition++)
        {
            Produce(partition, probe);
        }

        return probe;
    }

    private void Produce(int partition, Probe? probe)
    {
        var value = NumberedRecord.Make(_sent[partition], _options.RecordBytes);
        var began = Stopwatch.GetTimestamp();
        while (!TryProduce(partition, value, report => Settle(partition, began, report, probe)))
        {
            if (_stopped)
            {
                return;
            }

            Thread.Sleep(1);
        }

        _sent[partition]++;
    }

    /// <returns>False where the client has no room: brokers do not keep up, and the pace is not kept either.</returns>
    private bool TryProduce(int partition, byte[] value, Action<DeliveryReport<Null, byte[]>> settle)
    {
        try
        {
            _producer.Produce(new TopicPartition(_topic, partition), new Message<Null, byte[]> { Value = value }, settle);
            return true;
        }
        catch (ProduceException<Null, byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
        {
            return false;
        }
    }

    private void Settle(int partition, long began, DeliveryReport<Null, byte[]> report, Probe? probe)
    {
        if (report.Error.IsError)
        {
            _failure ??= report.Error.Reason;
        }
        else
        {
            Interlocked.Increment(ref _acknowledged[partition]);
            _gaps.Acknowledge(partition);
            _gapsOfAll.Acknowledge(0);
            Note(Stopwatch.GetElapsedTime(began));
            probe?.Acknowledge(partition);
        }
    }

    private void Note(TimeSpan latency)
    {
        lock (_latencies)
        {
            _latencies.Add(latency.TotalMilliseconds);
        }
    }
}
