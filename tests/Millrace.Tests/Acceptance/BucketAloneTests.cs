using Confluent.Kafka;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>The bucket is the cluster: what a start from the store alone serves, and what it refuses to serve.</summary>
public sealed class BucketAloneTests
{
    private const int Partitions = 3;

    [Theory]
    [InlineData("file")]
    [InlineData("object")]
    public async Task After_a_clean_stop_another_directory_and_port_serve_everything_from_the_store(string wal)
    {
        using var directory = new TemporaryDirectory();
        IReadOnlyCollection<Acknowledged> promises;
        await using (var broker = await StartAsync(directory, "first", wal))
        {
            promises = await FillAsync(broker);
            CommitOffset(broker, 17);
            Assert.Equal(0, await broker.StopAsync());
        }

        DeleteIfThere(directory.Sub("first"));
        await using var second = await StartAsync(directory, "second", wal);
        LogContent.Read(second.BootstrapServers, "bucket", Partitions).AssertHolds(promises);
        Assert.Equal(17, CommittedOffset(second));
    }

    [Fact]
    public async Task After_a_kill_the_object_WAL_lets_another_directory_serve_everything()
    {
        using var directory = new TemporaryDirectory();
        IReadOnlyCollection<Acknowledged> promises;
        await using (var broker = await StartAsync(directory, "first", "object"))
        {
            promises = await FillAsync(broker);
            CommitOffset(broker, 17);
            await broker.KillAsync();
        }

        DeleteIfThere(directory.Sub("first"));
        await using var second = await StartAsync(directory, "second", "object");
        LogContent.Read(second.BootstrapServers, "bucket", Partitions).AssertHolds(promises);
        Assert.Equal(17, CommittedOffset(second));
    }

    [Fact]
    public async Task After_a_kill_without_its_file_WAL_nothing_is_served_that_may_be_incomplete_and_the_start_says_what_waits()
    {
        using var directory = new TemporaryDirectory();
        IReadOnlyCollection<Acknowledged> promises;
        await using (var broker = await StartAsync(directory, "first", "file"))
        {
            promises = await FillAsync(broker);
            await broker.KillAsync();
        }

        Directory.Move(directory.Sub("first"), directory.Sub("elsewhere"));
        await using (var second = await StartAsync(directory, "second", "file"))
        {
            // The first one is another broker by its name, and has to be found gone.
            Assert.True(await Eventually.BecomesTrueAsync(() => second.Log.Contains("bucket-0", StringComparison.Ordinal)), second.Log);
            Assert.Equal(2, second.Log.Split("--accept-loss").Length);
            using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = second.BootstrapServers }).Build();
            var topic = admin.GetMetadata("bucket", TimeSpan.FromSeconds(30)).Topics[0];
            Assert.All(topic.Partitions, partition => Assert.Equal(-1, partition.Leader));
            Assert.Equal(0, await second.StopAsync());
        }

        // The WAL turns up again: everything is there.
        Directory.Move(directory.Sub("elsewhere"), directory.Sub("first"));
        await using var third = await StartAsync(directory, "first", "file");
        LogContent.Read(third.BootstrapServers, "bucket", Partitions).AssertHolds(promises);
    }

    [Fact]
    public async Task A_second_start_by_the_name_of_a_living_broker_is_refused_and_says_where_that_is()
    {
        using var directory = new TemporaryDirectory();
        await using var broker = await StartAsync(directory, "first", "object");

        var second = await Tool.TryRunAsync(
            MillraceProcess.Program,
            ["start", "--data-dir", directory.Sub("first"), "--store", $"file://{directory.Sub("store")}", "--wal", "object", "--listen", "127.0.0.1:0"]);

        Assert.NotEqual(0, second.ExitCode);
        Assert.Contains(broker.BootstrapServers, second.Errors, StringComparison.Ordinal);
        await FillAsync(broker);
    }

    // With an object WAL a broker has no local files at all.
    private static void DeleteIfThere(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static Task<MillraceProcess> StartAsync(TemporaryDirectory directory, string name, string wal) => MillraceProcess.StartAsync(
        directory.Sub(name), "--store", $"file://{directory.Sub("store")}", "--wal", wal == "file" ? $"file://{directory.Sub(name)}/wal" : wal);

    private static async Task<IReadOnlyCollection<Acknowledged>> FillAsync(MillraceProcess broker)
    {
        await TestTopic.CreateAsync(broker.BootstrapServers, "bucket", Partitions);
        using var load = new Load(broker.BootstrapServers, "bucket", Partitions, producers: 2);
        await load.WaitForMoreAsync(1000, TimeSpan.FromSeconds(60));
        load.Stop(TimeSpan.FromSeconds(60));
        Assert.Empty(load.Failures);
        return load.Acknowledged;
    }

    private static void CommitOffset(MillraceProcess broker, long offset)
    {
        using var consumer = Member(broker);
        consumer.Commit([new TopicPartitionOffset("bucket", 0, offset)]);
    }

    private static long CommittedOffset(MillraceProcess broker)
    {
        using var consumer = Member(broker);
        return consumer.Committed([new TopicPartition("bucket", 0)], TimeSpan.FromSeconds(60))[0].Offset.Value;
    }

    private static IConsumer<Ignore, Ignore> Member(MillraceProcess broker) =>
        new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = broker.BootstrapServers, GroupId = "bucket-group" }).Build();
}
