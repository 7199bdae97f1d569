using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Broker.Loads;
using Millrace.Runtime;
using Millrace.Tests.Broker.Apis.Data;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Loads;

/// <summary>Which partitions a broker's metrics name, and for how long.</summary>
public sealed class LoadMetricsTests : IAsyncLifetime
{
    private const string Busiest = "millrace.busiest.partition";
    private const int Partitions = 800;

    private readonly ManualTime _time = new();
    private readonly MeterListener _listener = new();
    private readonly HashSet<Meter> _live = [];
    private readonly List<(int Partition, string Direction, long Bytes)> _seen = [];
    private PartitionsUnderTest? _broker;
    private NodeRuntime? _runtime;
    private LoadMeter? _meter;
    private LoadMetrics? _metrics;
    private Action _renew = () => { };

    public async ValueTask InitializeAsync()
    {
        _broker = PartitionsUnderTest.Start();
        await _broker.AddTopicAsync("t", Partitions);
        _runtime = new NodeRuntime(_time, TaskScheduler.Default, new SystemRandom(), null!, NullLoggerFactory.Instance);
        _meter = new LoadMeter(_runtime, _broker.Table, _broker.Node.Store, static () => default, static () => 0);

        // Other tests' meters have the same names: those count that are made on this thread from now on.
        var (thread, isOurs) = (Environment.CurrentManagedThreadId, false);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (isOurs && Environment.CurrentManagedThreadId == thread && instrument.Name == Busiest)
            {
                _live.Add(instrument.Meter);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.MeasurementsCompleted = (instrument, _) => _live.Remove(instrument.Meter);
        _listener.SetMeasurementEventCallback<long>((_, bytes, tags, _) => _seen.Add(((int)tags[1].Value!, (string)tags[2].Value!, bytes)));
        _listener.Start();
        isOurs = true;
        _metrics = new LoadMetrics(_meter, _broker.Feed);
        isOurs = false;
        _renew = () =>
        {
            isOurs = true;
            thread = Environment.CurrentManagedThreadId;
            _metrics.Renew();
            isOurs = false;
        };
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        _metrics!.Dispose();
        _runtime!.Dispose();
        await _broker!.DisposeAsync();
    }

    [Fact]
    public async Task Only_the_busiest_are_named_and_those_that_are_no_more_by_zeros()
    {
        await ProduceAsync(Enumerable.Range(0, 30));
        Assert.Equal(2 * LoadMetrics.MostNamed, Observe().Count);
        Assert.All(_seen, one => Assert.Equal(one.Direction == "in", one.Bytes > 0));

        await ProduceAsync([100]);
        var seen = Observe();

        Assert.Equal(2 * (LoadMetrics.MostNamed + 1), seen.Count);
        Assert.Equal([100], seen.Where(one => one.Bytes > 0).Select(one => one.Partition));
    }

    [Fact]
    public async Task However_many_have_been_busy_once_few_are_told_of()
    {
        for (var first = 0; first < Partitions; first += LoadMetrics.MostNamed)
        {
            await ProduceAsync(Enumerable.Range(first, LoadMetrics.MostNamed));
            Assert.InRange(Observe().Count, 2 * LoadMetrics.MostNamed, 2_000);
            Assert.Single(_live);
        }

        Assert.True(_seen.Count < 2 * Partitions);
    }

    private async Task ProduceAsync(IEnumerable<int> partitions)
    {
        var client = new DataPathClient(_broker!);
        foreach (var partition in partitions)
        {
            var (_, context) = await client.ProduceAsync(9, acks: -1, timeoutMs: 30_000, ("t", partition, Batches.OfSize(500)));
            context.Dispose();
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        _meter!.Measure();
        _renew();
    }

    private List<(int Partition, string Direction, long Bytes)> Observe()
    {
        _seen.Clear();
        _listener.RecordObservableInstruments();
        return [.. _seen];
    }
}
