using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Broker.Loads;
using Millrace.Metadata.Loads;
using Millrace.Runtime;
using Millrace.Tests.Broker.Apis.Data;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Loads;

public sealed class LoadMeterTests : IAsyncLifetime
{
    private const int Seconds = 10;

    private readonly ManualTime _time = new();
    private PartitionsUnderTest? _broker;
    private NodeRuntime? _runtime;
    private LoadMeter? _meter;
    private ProcessUse _process = new(TimeSpan.FromSeconds(100), Processors: 4, Memory: 1);
    private long _requests;

    private NodeLoad Newest => _meter!.Newest!;

    public async ValueTask InitializeAsync()
    {
        _broker = await PartitionsUnderTest.StartWithTopicAsync();
        await _broker.AddTopicAsync("busy", partitions: 3);
        _runtime = new NodeRuntime(_time, TaskScheduler.Default, new SystemRandom(), null!, NullLoggerFactory.Instance);
        _meter = new LoadMeter(_runtime, _broker.Table, _broker.Node.Store, () => _process, () => _requests);
    }

    public async ValueTask DisposeAsync()
    {
        _runtime!.Dispose();
        await _broker!.DisposeAsync();
    }

    [Fact]
    public async Task What_was_produced_and_fetched_counts_in_the_window_in_which_it_was_and_in_no_other()
    {
        var client = new DataPathClient(_broker!);
        await client.ProduceAsync(Batches.OfSize(1_000));
        await client.ProduceAsync(Batches.OfSize(30_000), topic: "busy");
        await client.FetchAsync(0);
        await client.FetchAsync(0);
        var (small, large) = (await SizeAsync("t"), await SizeAsync("busy"));

        Assert.Null(_meter!.Newest);
        Measure();
        Assert.Equal((Rate(small + large), Rate(2 * small)), (Newest.BytesIn, Newest.BytesOut));
        Assert.Equal(
            [
                new PartitionLoad(_broker!.Feed.Image.Topics["busy"].Id, 0, Rate(large), 0),
                new PartitionLoad(_broker.Feed.Image.Topics["t"].Id, 0, Rate(small), Rate(2 * small)),
            ],
            Newest.Busiest);

        await client.FetchAsync(0);
        Measure();
        Assert.Equal((0, Rate(small), 1), (Newest.BytesIn, Newest.BytesOut, Newest.Busiest.Length));
        Measure();
        Assert.Equal((0, 0, 0), (Newest.BytesIn, Newest.BytesOut, Newest.Busiest.Length));
    }

    [Fact]
    public void What_the_process_takes_counts_as_a_share_of_all_processors()
    {
        (_process, _requests) = (_process with { ProcessorTime = TimeSpan.FromSeconds(120), Memory = 7 }, 50);
        Measure();
        Assert.Equal((0.5, 7, 5), (Newest.Cpu, Newest.Memory, Newest.Requests));

        Measure();
        Assert.Equal((0, 7, 0), (Newest.Cpu, Newest.Memory, Newest.Requests));

        _process = _process with { ProcessorTime = TimeSpan.FromSeconds(1_000) };
        Measure();
        Assert.Equal(1, Newest.Cpu);
    }

    [Fact]
    public async Task A_partition_that_goes_elsewhere_is_this_nodes_load_no_more()
    {
        var client = new DataPathClient(_broker!);
        await client.ProduceAsync(Batches.OfSize(1_000));
        var topic = _broker!.Feed.Image.Topics["t"];
        _broker.Publish(image => PartitionsUnderTest.With(
            image, topic with { Partitions = [topic.Partitions[0] with { Leader = PartitionsUnderTest.Other, Epoch = new(2) }] }));

        Measure();

        Assert.Equal((0, 0), (Newest.BytesIn, Newest.Busiest.Length));
    }

    [Fact]
    public async Task Appends_wait_for_the_WAL_as_long_as_it_takes()
    {
        var client = new DataPathClient(_broker!);
        await client.ProduceAsync(Batches.Of("a"));
        Measure();
        _broker!.Node.Wal.Hold();
        var (response, context) = client.BeginProduce(Batches.Of("b"));
        await Task.Delay(TimeSpan.FromMilliseconds(60));
        _broker.Node.Wal.Release();
        await response;
        context.Dispose();

        Measure();

        Assert.InRange(Newest.WalWait, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(1));
        Measure();
        Assert.Equal(TimeSpan.Zero, Newest.WalWait);
    }

    private static long Rate(long bytes) => bytes / Seconds;

    private async Task<long> SizeAsync(string topic) => (await _broker!.OpenAsync(topic)).SizeInBytes;

    private void Measure()
    {
        _time.Advance(TimeSpan.FromSeconds(Seconds));
        _meter!.Measure();
    }
}
