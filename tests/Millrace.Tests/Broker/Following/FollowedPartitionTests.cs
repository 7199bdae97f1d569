using Millrace.Protocol;
using Millrace.Runtime.Files.Linux;
using Millrace.Tests.Broker.Partitions;
using Millrace.Tests.Network.Serving;
using Millrace.Tests.ObjectStorage;
using Millrace.Tests.Server.Composition;
using Xunit;

namespace Millrace.Tests.Broker.Following;

/// <summary>Two brokers, each in a rack of its own: one leads a partition, and the other serves it to consumers of its rack.</summary>
public sealed class FollowedPartitionTests : IAsyncLifetime
{
    private const short Version = 12;
    private readonly AdjustedObjectStorage _storage = new();
    private NodeUnderTest _leader = null!;
    private NodeUnderTest _other = null!;

    public async ValueTask InitializeAsync()
    {
        _leader = await StartAsync("a");
        _other = await StartAsync("b");
        Assert.True(await Eventually.BecomesTrueAsync(() => Array.TrueForAll([_leader, _other], node => node.Node.Metadata.Image.LiveNodes.Count() == 2)));
        await _leader.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new CreateTopicsRequest
            {
                TimeoutMs = 30_000,
                Topics =
                [
                    new()
                    {
                        Name = "t", NumPartitions = -1, ReplicationFactor = -1,
                        Assignments = [new() { PartitionIndex = 0, BrokerIds = [_leader.Node.Self.Node.Value, _other.Node.Self.Node.Value] }],
                    },
                ],
            },
            version: 5);
        Assert.True(await Eventually.BecomesTrueAsync(() => _other.Node.Metadata.Image.TryGetTopic("t", out _)));
    }

    public async ValueTask DisposeAsync()
    {
        await _other.DisposeAsync();
        await _leader.DisposeAsync();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task A_consumer_is_sent_to_its_rack_once_and_whoever_says_no_other_rack_is_served_by_the_leader()
    {
        await ProduceAsync("a", "b");
        using var consumer = await _leader.ConnectAsync();

        var sent = await FetchAsync(consumer, 0, "b");
        Assert.Equal((ErrorCode.None, _other.Node.Self.Node.Value), ((ErrorCode)sent.ErrorCode, sent.PreferredReadReplica));
        Assert.Empty(Batches.Read(sent.Records));
        Assert.Equal((2, 0), (sent.HighWatermark, sent.LogStartOffset));

        // It comes back: it was not served there.
        Assert.Equal((-1, "0:a 1:b"), Told(await FetchAsync(consumer, 0, "b")));
        Assert.Equal((-1, "0:a 1:b"), Told(await FetchAsync(_leader, 0, "a")));
        Assert.Equal((-1, "0:a 1:b"), Told(await FetchAsync(_leader, 0, "")));
        Assert.Equal((-1, "0:a 1:b"), Told(await FetchAsync(_leader, 0, "c")));
        Assert.Equal(ErrorCode.OffsetOutOfRange, (ErrorCode)(await FetchAsync(_leader, 3, "b")).ErrorCode);
    }

    [Fact]
    public async Task It_is_served_what_is_there_and_waits_for_what_comes()
    {
        await ProduceAsync("a", "b");
        await ProduceAsync("c");
        Assert.Equal((-1, "0:a 1:b 2:c"), Told(await FetchAsync(_other, 0, "b")));
        Assert.Equal((-1, "2:c"), Told(await FetchAsync(_other, 2, "b")));

        var waiting = FetchAsync(_other, 3, "b", waitMs: 30_000);
        await ProduceAsync("d");
        var told = await waiting;
        Assert.Equal((-1, "3:d"), Told(told));
        Assert.InRange(told.HighWatermark, 4, 4);
        Assert.Equal((ErrorCode.None, 4, ""), Outcome(await FetchAsync(_other, 4, "b")));
    }

    [Fact]
    public async Task What_lies_in_objects_is_read_from_there_with_what_is_told_behind_it()
    {
        for (var i = 0; i < 5; i++)
        {
            await ProduceAsync($"{i}");
            await _leader.Node.Streams.UploadAsync(
                [.. _leader.Node.Streams.Streams.Select(stream => new Millrace.Streams.UploadGoal(stream, stream.NextOffset))], default);
        }

        await ProduceAsync("5");
        for (var offset = 0; offset < 6; offset++)
        {
            var next = offset;
            while (next < 6)
            {
                var read = Batches.Read((await FetchAsync(_other, next, "b")).Records);
                Assert.Equal($"{next}:{next}", read[0]);
                next += read.Count;
            }
        }
    }

    [Fact]
    public async Task What_is_beyond_the_end_or_was_trimmed_is_out_of_range_as_the_leader_says()
    {
        await ProduceAsync("a", "b");
        await ProduceAsync("c");
        Assert.Equal(ErrorCode.OffsetOutOfRange, (ErrorCode)(await FetchAsync(_other, 4, "b")).ErrorCode);

        // What the follower has not heard of yet is no reason to send a consumer to the beginning.
        await ProduceAsync("d");
        Assert.Equal((ErrorCode.None, 4, ""), Outcome(await FetchAsync(_other, 4, "b")));

        await _leader.CallAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new DeleteRecordsRequest
            {
                TimeoutMs = 30_000, Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0, Offset = 2 }] }],
            },
            version: 2);
        Assert.True(await Eventually.BecomesTrueAsync(async () => (ErrorCode)(await FetchAsync(_other, 0, "b")).ErrorCode == ErrorCode.OffsetOutOfRange));
        var rest = await FetchAsync(_other, 2, "b");
        Assert.Equal((-1, "2:c 3:d"), Told(rest));
        Assert.Equal(2, rest.LogStartOffset);
    }

    [Theory]
    [InlineData(-1, ErrorCode.None)]
    [InlineData(0, ErrorCode.None)]
    [InlineData(1, ErrorCode.UnknownLeaderEpoch)]
    public async Task The_leader_epoch_that_a_consumer_knows_is_compared(int fromCurrent, ErrorCode expected)
    {
        await ProduceAsync("a");
        _leader.Node.Metadata.Image.TryGetTopic("t", out var topic);
        var epoch = fromCurrent == -1 ? -1 : topic!.Partitions[0].LeaderEpoch + fromCurrent;

        Assert.Equal(expected, (ErrorCode)(await FetchAsync(_other, 0, "b", epoch: epoch)).ErrorCode);
    }

    [Fact]
    public async Task Only_consumers_of_its_own_rack_that_the_leader_would_send_are_served()
    {
        await ProduceAsync("a");

        foreach (var rack in new[] { "", "a", "c" })
        {
            Assert.Equal(ErrorCode.NotLeaderOrFollower, (ErrorCode)(await FetchAsync(_other, 0, rack)).ErrorCode);
        }
    }

    [Fact]
    public async Task Who_waits_is_told_when_the_topic_is_deleted()
    {
        await ProduceAsync("a");
        Assert.Equal((-1, "0:a"), Told(await FetchAsync(_other, 0, "b")));

        var waiting = FetchAsync(_other, 1, "b", waitMs: 30_000);
        await _leader.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new DeleteTopicsRequest { TimeoutMs = 30_000, TopicNames = ["t"] }, version: 5);

        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (ErrorCode)(await waiting).ErrorCode);
    }

    [Fact]
    public async Task A_leader_that_ends_leaves_no_fetch_waiting()
    {
        await ProduceAsync("a");
        Assert.Equal((-1, "0:a"), Told(await FetchAsync(_other, 0, "b")));

        var waiting = FetchAsync(_other, 1, "b", waitMs: 30_000);
        await _leader.Host.StopAsync();

        // The follower leads it now.
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (ErrorCode)(await waiting).ErrorCode);
        Assert.True(await Eventually.BecomesTrueAsync(async () => Told(await FetchAsync(_other, 0, "b")) == (-1, "0:a")));
    }

    private async Task<NodeUnderTest> StartAsync(string rack) => await NodeUnderTest.StartAsync(
        _storage, "object", new LinuxFileSystem(TaskScheduler.Default), options => options, rack,
        ("broker.rack", rack), ("auto.create.topics.enable", "false"));

    private async Task ProduceAsync(params string[] values)
    {
        var response = await _leader.CallAsync<ProduceRequest, ProduceResponse>(
            new ProduceRequest
            {
                Acks = -1, TimeoutMs = 30_000, TopicData = [new() { Name = "t", PartitionData = [new() { Index = 0, Records = new(Batches.Of(values)) }] }],
            },
            version: 9);
        Assert.Equal(ErrorCode.None, (ErrorCode)response.Responses[0].PartitionResponses[0].ErrorCode);
    }

    private static async Task<FetchResponse.PartitionData> FetchAsync(NodeUnderTest node, long offset, string rack, int waitMs = 3_000, int epoch = -1)
    {
        using var client = await node.ConnectAsync();
        return await FetchAsync(client, offset, rack, waitMs, epoch);
    }

    private static async Task<FetchResponse.PartitionData> FetchAsync(RawClient client, long offset, string rack, int waitMs = 3_000, int epoch = -1)
    {
        await client.SendAsync(
            new FetchRequest
            {
                MaxWaitMs = waitMs,
                MinBytes = 1,
                MaxBytes = 1 << 20,
                RackId = rack,
                Topics =
                [
                    new() { Topic = "t", Partitions = [new() { FetchOffset = offset, PartitionMaxBytes = 1 << 20, CurrentLeaderEpoch = epoch }] },
                ],
            },
            Version,
            correlationId: 1);
        return (await client.ReceiveAsync<FetchResponse>(Version)).Response.Responses[0].Partitions[0];
    }

    private static (int SentTo, string Records) Told(FetchResponse.PartitionData answer) =>
        (answer.PreferredReadReplica, string.Join(' ', Batches.Read(answer.Records)));

    private static (ErrorCode Error, long HighWatermark, string Records) Outcome(FetchResponse.PartitionData answer) =>
        ((ErrorCode)answer.ErrorCode, answer.HighWatermark, string.Join(' ', Batches.Read(answer.Records)));
}
