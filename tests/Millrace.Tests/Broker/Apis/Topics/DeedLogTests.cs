using Millrace.Protocol;
using Millrace.Tests.Server.Composition;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Topics;

/// <summary>What an operator can read of who changed what.</summary>
public sealed class DeedLogTests
{
    [Fact]
    public async Task Topics_that_come_grow_change_and_go_are_told_with_the_client_that_asked_and_nothing_of_it_is_a_warning()
    {
        await using var storage = new TestStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:");

        await node.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new()
            {
                Topics = [new() { Name = "orders", NumPartitions = 2, ReplicationFactor = 1, Configs = [new() { Name = "retention.ms", Value = "1000" }] }],
                TimeoutMs = 10_000,
            },
            7);
        await node.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new() { Topics = [new() { Name = "only-asked", NumPartitions = 2, ReplicationFactor = 1 }], ValidateOnly = true, TimeoutMs = 10_000 }, 7);
        await node.CallAsync<CreatePartitionsRequest, CreatePartitionsResponse>(
            new() { Topics = [new() { Name = "orders", Count = 3, Assignments = null }], TimeoutMs = 10_000 }, 3);
        await node.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new()
            {
                Resources =
                [
                    new()
                    {
                        ResourceType = 2,
                        ResourceName = "orders",
                        Configs =
                        [
                            new() { Name = "retention.ms", ConfigOperation = 1 },
                            new() { Name = "segment.bytes", Value = "1048576", ConfigOperation = 0 },
                        ],
                    },
                ],
            },
            1);
        await node.CallAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new()
            {
                Resources =
                [
                    new() { ResourceType = 4, ResourceName = "", Configs = [new() { Name = "max.connections", Value = "400", ConfigOperation = 0 }] },
                ],
            },
            1);
        await node.CallAsync<AlterConfigsRequest, AlterConfigsResponse>(
            new() { Resources = [new() { ResourceType = 2, ResourceName = "orders", Configs = [new() { Name = "retention.ms", Value = "2000" }] }] }, 2);
        await node.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { Topics = [new() { Name = "orders" }], TimeoutMs = 10_000 }, 6);
        await node.CallAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { Topics = [new() { Name = "orders" }], TimeoutMs = 10_000 }, 6);

        Assert.Collection(
            node.Log.Saying(" By client '").Select(line => line[..line.IndexOf(" at 127.0.0.1:", StringComparison.Ordinal)]),
            line => Assert.Equal("Topic orders has been created; partitions: 2; set for it: retention.ms=1000. By client 'test'", line),
            line => Assert.Equal("Topic orders has 3 partitions now. By client 'test'", line),
            line => Assert.Equal("The configuration of topic orders has been changed: retention.ms is unset, segment.bytes=1048576. By client 'test'", line),
            line => Assert.Equal("The configuration of all brokers has been changed: max.connections=400. By client 'test'", line),
            line => Assert.Equal("The configuration of topic orders has been replaced; set for it now: retention.ms=2000. By client 'test'", line),
            line => Assert.Matches("^Topic orders \\(id [0-9a-f-]{36}\\) has been deleted. By client 'test'$", line));
        Assert.DoesNotContain(
            node.Log.Texts,
            line => line.StartsWith("Warning", StringComparison.Ordinal) || line.StartsWith("Error", StringComparison.Ordinal));
    }
}
