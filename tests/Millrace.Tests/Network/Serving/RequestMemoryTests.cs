using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using Millrace.Network.Serving;
using Millrace.Protocol;
using Xunit;

namespace Millrace.Tests.Network.Serving;

/// <summary>The memory of requests, and who waits for it.</summary>
public sealed class RequestMemoryTests
{
    [Fact]
    public async Task A_peer_that_announces_much_and_sends_little_gets_little_memory()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        var announced = new byte[6];
        BinaryPrimitives.WriteInt32BigEndian(announced, 100 << 20);
        await client.SendBytesAsync(announced);

        Assert.True(await Eventually.BecomesTrueAsync(() => server.Buffers.RentedBytes > 0));
        Assert.InRange(server.Buffers.RentedBytes, 1, 2 << 20);
        client.Dispose();
        Assert.True(await server.AllBuffersAreReturnedAsync());
    }

    [Fact]
    public async Task A_producer_that_waits_for_room_is_not_taken_for_a_slow_one()
    {
        await using var server = await ServerUnderTest.StartAsync(
            new NetworkOptions { MaxRequestBytes = 1 << 20, SlowFrameGrace = TimeSpan.FromMilliseconds(100) });
        using var first = await server.ConnectAsync();
        await first.SendAsync(Produce(new string('t', 1_048_000)), version: 9, correlationId: 1);
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Produces.Parked == 1));
        using var second = await server.ConnectAsync();
        await second.SendAsync(Produce("t"), version: 9, correlationId: 2);
        using var slow = await server.ConnectAsync();

        // The sweep that closes a slow one, later, has let the waiting one be.
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.Budgets.For(ApiKey.Produce).Waiting == 1));
        await slow.SendBytesAsync(new byte[] { 0, 0, 1, 0, 0, 18 });
        Assert.True(await slow.IsEndedInOrderAsync());
        server.Produces.Release();
        Assert.Equal(2, (await second.ReceiveAsync<ProduceResponse>(9)).CorrelationId);

        static ProduceRequest Produce(string topic) => new() { Acks = -1, TimeoutMs = 30_000, TopicData = [new() { Name = topic, PartitionData = [] }] };
    }

    [Fact]
    public async Task Produces_that_fill_their_budget_hold_up_no_heartbeat()
    {
        await using var server = await ServerUnderTest.StartAsync(new NetworkOptions { MaxRequestBytes = 1 << 20 });
        using var producer = await server.ConnectAsync();
        await producer.SendAsync(Produce(new string('t', 1_048_000)), version: 9, correlationId: 1);
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Produces.Parked == 1));
        using var next = await server.ConnectAsync();
        await next.SendAsync(Produce("t"), version: 9, correlationId: 2);
        using var member = await server.ConnectAsync();
        server.Handler.Release(1);
        await member.SendAsync(new HeartbeatRequest { GenerationId = 1 }, version: 4, correlationId: 3);

        Assert.Equal(3, (await member.ReceiveAsync<HeartbeatResponse>(4)).CorrelationId);
        Assert.Equal(1, server.Produces.Parked);
        server.Produces.Release();
        Assert.Equal(1, (await producer.ReceiveAsync<ProduceResponse>(9)).CorrelationId);
        Assert.Equal(2, (await next.ReceiveAsync<ProduceResponse>(9)).CorrelationId);
        Assert.True(await server.AllBuffersAreReturnedAsync());

        static ProduceRequest Produce(string topic) => new() { Acks = -1, TimeoutMs = 30_000, TopicData = [new() { Name = topic, PartitionData = [] }] };
    }

    [Fact]
    public async Task A_call_whose_fault_cannot_even_be_told_gives_its_memory_back_and_so_does_the_one_behind_it()
    {
        await using var server = await ServerUnderTest.StartAsync(lettingNextBegin: true);
        server.Handler.OnBegin = _ => throw new InvalidOperationException("a fault");
        server.Log.Before = level =>
        {
            if (level == LogLevel.Error)
            {
                throw new InsufficientMemoryException();
            }
        };
        using var client = await server.ConnectAsync();
        await client.SendAsync(new HeartbeatRequest { GenerationId = 1 }, version: 4, correlationId: 1);
        await client.SendAsync(new HeartbeatRequest { GenerationId = 2 }, version: 4, correlationId: 2);

        Assert.True(await client.IsEndedInOrderAsync());
        Assert.True(await server.AllBuffersAreReturnedAsync());
        Assert.False(server.HasFailed);
        Assert.True(await server.AnswersAsync());
    }
}
