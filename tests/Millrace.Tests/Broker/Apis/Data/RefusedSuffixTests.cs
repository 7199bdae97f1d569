using Millrace.Broker.Apis.Data;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Millrace.Tests.Broker.Partitions;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Data;

/// <summary>Batches that an idempotent producer has sent behind one that was refused, while the reason for the refusal passes.</summary>
public sealed class RefusedSuffixTests
{
    private const long Pid = 42;

    [Fact]
    public async Task What_is_pipelined_while_a_broker_hears_that_it_leads_does_not_come_before_what_it_has_refused()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.MakeTopicAsync();
        Lead(PartitionsUnderTest.Other, epoch: 2);
        var client = new DataPathClient(broker);
        Assert.Equal(ErrorCode.NotLeaderOrFollower, await ProduceAsync(client, sequence: 0, count: 3));

        Lead(PartitionsUnderTest.Self, epoch: 3);
        Assert.Equal(ErrorCode.NotLeaderOrFollower, await ProduceAsync(client, sequence: 3));
        Assert.Equal(ErrorCode.NotLeaderOrFollower, await ProduceAsync(client, sequence: 4));
        Assert.Equal(ErrorCode.None, (ErrorCode)(await client.ProduceAsync(Batches.Of("not idempotent"))).ErrorCode);

        Assert.Equal(ErrorCode.None, await ProduceAsync(client, sequence: 0, count: 3));
        Assert.Equal(ErrorCode.None, await ProduceAsync(client, sequence: 3));
        Assert.Equal(ErrorCode.None, await ProduceAsync(client, sequence: 4));

        void Lead(NodeId leader, int epoch) => broker.Publish(image => PartitionsUnderTest.With(image, topic with
        {
            Partitions = [topic.Partitions[0] with { Leader = leader, Epoch = new StreamEpoch(epoch) }],
        }));
    }

    [Fact]
    public async Task What_was_refused_here_and_taken_elsewhere_is_not_waited_for_when_the_partition_comes_back()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var (client, elsewhere) = (new DataPathClient(broker), new DataPathClient(broker));
        Assert.Equal(ErrorCode.None, await ProduceAsync(client, sequence: 0));
        Lead(PartitionsUnderTest.Other, epoch: 2);
        Assert.Equal(ErrorCode.NotLeaderOrFollower, await ProduceAsync(client, sequence: 1));

        Lead(PartitionsUnderTest.Self, epoch: 3);
        Assert.Equal(ErrorCode.None, await ProduceAsync(elsewhere, sequence: 1));
        Assert.Equal(ErrorCode.NotLeaderOrFollower, await ProduceAsync(client, sequence: 3));

        Assert.Equal(ErrorCode.None, await ProduceAsync(client, sequence: 2));
        Assert.Equal(ErrorCode.None, await ProduceAsync(client, sequence: 3));

        void Lead(NodeId leader, int epoch) => broker.Publish(image => PartitionsUnderTest.With(image, topic with
        {
            Partitions = [topic.Partitions[0] with { Leader = leader, Epoch = new StreamEpoch(epoch) }],
        }));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(13)]
    public async Task What_is_pipelined_while_a_broker_hears_of_a_topic_does_not_come_before_what_it_has_refused(short version)
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.MakeTopicAsync();
        // By the id that it will have.
        var client = new DataPathClient(broker) { UnknownId = topic.Id };
        var refusal = version < 13 ? ErrorCode.UnknownTopicOrPartition : ErrorCode.UnknownTopicId;
        Assert.Equal(refusal, await ProduceAsync(client, 0, version: version));

        broker.Publish(image => PartitionsUnderTest.With(image, topic));
        Assert.Equal(refusal, await ProduceAsync(client, 1, version: version));

        Assert.Equal(ErrorCode.None, await ProduceAsync(client, 0, version: version));
        Assert.Equal(ErrorCode.None, await ProduceAsync(client, 1, version: version));
    }

    [Fact]
    public async Task A_new_connection_begins_where_its_client_does()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.MakeTopicAsync();
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await ProduceAsync(new DataPathClient(broker), 5));
        broker.Publish(image => PartitionsUnderTest.With(image, topic));

        Assert.Equal(ErrorCode.None, await ProduceAsync(new DataPathClient(broker), 6));
    }

    [Fact]
    public async Task A_connection_that_is_refused_more_than_can_be_remembered_is_closed_behind_its_answer_and_takes_nothing_more()
    {
        await using var broker = PartitionsUnderTest.Start();
        var topic = await broker.AddTopicAsync();
        var client = new DataPathClient(broker);
        var batch = Batches.Idempotent(Pid, 0, 0);
        var (_, fits) = await client.ProduceAsync(
            9, -1, 30_000, [.. Enumerable.Range(1, RefusedBatches.Most).Select(index => (topic.Name, index, (byte[]?)batch))]);
        Assert.False(fits.DisconnectedBehind);
        fits.Dispose();

        var (answer, beyond) = await client.ProduceAsync(9, -1, 30_000, (topic.Name, RefusedBatches.Most + 1, batch));
        beyond.Dispose();

        Assert.Equal((true, false), (beyond.DisconnectedBehind, beyond.Disconnected));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)answer.Responses[0].PartitionResponses[0].ErrorCode);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, await ProduceAsync(client, 0));
    }

    private static async Task<ErrorCode> ProduceAsync(DataPathClient client, int sequence, int count = 1, short version = 9) =>
        (ErrorCode)(await client.ProduceAsync(Batches.Idempotent(Pid, 0, sequence, count), version)).ErrorCode;
}
