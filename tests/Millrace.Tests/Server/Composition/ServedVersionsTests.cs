using System.Reflection;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>A whole node answers every version that it advertises, with a body that this version can carry.</summary>
public sealed class ServedVersionsTests
{
    [Fact]
    public async Task Every_advertised_version_of_every_api_is_answered()
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:");
        var served = await node.CallAsync<ApiVersionsRequest, ApiVersionsResponse>(new(), version: 0);
        Assert.Equal(34, served.ApiKeys.Count);

        var ask = typeof(ServedVersionsTests).GetMethod(nameof(AskAsync), BindingFlags.NonPublic | BindingFlags.Static)!;
        var messages = typeof(ApiMessages).Assembly;
        foreach (var api in served.ApiKeys)
        {
            var key = (ApiKey)api.ApiKey;
            var typed = ask.MakeGenericMethod(
                messages.GetType($"Millrace.Protocol.{key}Request", throwOnError: true)!,
                messages.GetType($"Millrace.Protocol.{key}Response", throwOnError: true)!);
            // Produce is advertised from v0 for old librdkafka, and served from v3.
            for (var version = key == ApiKey.Produce ? (short)3 : api.MinVersion; version <= api.MaxVersion; version++)
            {
                await (Task)typed.Invoke(null, [node, version])!;
            }
        }
    }

    private static async Task AskAsync<TRequest, TResponse>(NodeUnderTest node, short version)
        where TRequest : class, IRequest<TRequest>, new()
        where TResponse : class, IResponse<TResponse>
    {
        var request = new TRequest();
        switch (request)
        {
            case ProduceRequest produce:
                // With acks=0, the default of a number, there would be no answer.
                produce.Acks = 1;
                break;
            case ApiVersionsRequest versions when version >= 3:
                (versions.ClientSoftwareName, versions.ClientSoftwareVersion) = ("test", "1");
                break;
        }

        Assert.NotNull(await node.CallAsync<TRequest, TResponse>(request, version));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(11)]
    public async Task Offsets_are_answered_with_an_epoch_where_there_is_room_for_it(short version)
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "memory:");
        await node.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new() { Topics = [new() { Name = "t", NumPartitions = 1, ReplicationFactor = 1 }], TimeoutMs = 30_000 }, version: 7);

        var response = await node.CallAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { ReplicaId = -1, Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0, Timestamp = -1 }] }] }, version);

        var partition = Assert.Single(Assert.Single(response.Topics).Partitions);
        Assert.Equal(((short)ErrorCode.None, 0L), (partition.ErrorCode, partition.Offset));
    }
}
