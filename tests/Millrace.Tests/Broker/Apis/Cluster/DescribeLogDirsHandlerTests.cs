using Millrace.Broker.Apis.Cluster;
using Millrace.Protocol;
using Millrace.Tests.Broker.Apis.Data;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Cluster;

public sealed class DescribeLogDirsHandlerTests
{
    [Fact]
    public async Task A_partition_is_listed_by_each_of_its_replicas_and_has_a_size_where_it_is_led()
    {
        await using var broker = PartitionsUnderTest.Start();
        var led = await broker.AddTopicAsync("led");
        var followed = await broker.AddTopicAsync("followed", partitions: 2);
        broker.Publish(image => PartitionsUnderTest.With(image, followed with
        {
            Partitions =
            [
                followed.Partitions[0] with { Leader = PartitionsUnderTest.Other, Replicas = [PartitionsUnderTest.Other, PartitionsUnderTest.Self] },
                followed.Partitions[1] with { Leader = PartitionsUnderTest.Other, Replicas = [PartitionsUnderTest.Other] },
            ],
        }));
        var written = Batches.Of("a", "b");
        await new DataPathClient(broker).ProduceAsync(written, topic: led.Name);

        Assert.Equal([("followed", 0, 0L), ("led", 0, written.LongLength)], await ListAsync(broker, topics: null));
        Assert.Equal(
            [("followed", 0, 0L)],
            await ListAsync(broker, [new() { Topic = "followed", Partitions = [0, 1, 2, 0] }, new() { Topic = "absent", Partitions = [0] }]));
    }

    private static async Task<IEnumerable<(string, int, long)>> ListAsync(
        PartitionsUnderTest broker, IReadOnlyList<DescribeLogDirsRequest.DescribableLogDirTopic>? topics)
    {
        var handler = new DescribeLogDirsHandler(PartitionsUnderTest.Self, broker.Table);
        using var context = TestContext.Create(version: 4, broker.Buffers.Rent(1));
        var response = await handler.HandleAsync(context, new DescribeLogDirsRequest { Topics = topics }, default);
        return Assert.Single(response.Results).Topics
            .SelectMany(topic => topic.Partitions.Select(partition => (topic.Name, partition.PartitionIndex, partition.PartitionSize)));
    }
}
