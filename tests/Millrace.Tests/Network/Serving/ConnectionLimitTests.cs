using Microsoft.Extensions.Logging;
using Millrace.Network.Serving;
using Millrace.Protocol;
using Xunit;

namespace Millrace.Tests.Network.Serving;

/// <summary>How many connections there may be, and which end for others.</summary>
public sealed class ConnectionLimitTests
{
    [Fact]
    public async Task An_idle_connection_is_closed_and_one_with_a_waiting_call_is_not()
    {
        await using var server = await ServerUnderTest.StartAsync(new NetworkOptions { MaxIdle = TimeSpan.FromSeconds(2) });
        using var waiting = await server.ConnectAsync();
        await waiting.SendAsync(new HeartbeatRequest { GenerationId = 1 }, version: 0, correlationId: 1);
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Handler.Begun.Count == 1));
        using var idle = await server.ConnectAsync();

        // A reset is an error in the log of every client that meets it.
        Assert.True(await idle.IsEndedInOrderAsync());
        Assert.Empty(server.Handler.Cancelled);
        server.Handler.Release(1);
        Assert.Equal(1, (await waiting.ReceiveAsync<HeartbeatResponse>(0)).CorrelationId);
    }

    [Fact]
    public async Task Connections_above_the_bound_wait_until_others_end_and_the_log_says_so_once()
    {
        await using var server = await ServerUnderTest.StartAsync(new NetworkOptions { MaxConnections = 2, MaxConnectionsSetBy = "the limit" });
        using var first = await server.ConnectAsync();
        var second = await server.ConnectAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.ConnectionCount == 2));
        using var third = await server.ConnectAsync();
        using var fourth = await server.ConnectAsync();
        foreach (var waiting in new[] { third, fourth })
        {
            await waiting.SendAsync(new ApiVersionsRequest(), version: 0, correlationId: 3);
        }

        Assert.True(await Eventually.BecomesTrueAsync(() => server.Log.Saying("as many as the limit allows").Count == 1));
        Assert.Equal(2, server.Server.ConnectionCount);
        second.Dispose();
        Assert.Equal(3, (await third.ReceiveAsync<ApiVersionsResponse>(0)).CorrelationId);
        third.Dispose();
        Assert.Equal(3, (await fourth.ReceiveAsync<ApiVersionsResponse>(0)).CorrelationId);
        Assert.Single(server.Log.Saying("2 connections are open"));
    }

    [Fact]
    public async Task Connections_that_wait_for_a_place_do_not_hold_up_a_drain()
    {
        await using var server = await ServerUnderTest.StartAsync(new NetworkOptions { MaxConnections = 1 });
        using var first = await server.ConnectAsync();
        using var waiting = await server.ConnectAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Log.Saying("1 connections are open").Count == 1));

        await server.Server.DrainAsync(TimeSpan.FromSeconds(30));

        Assert.True(await waiting.IsEndedInOrderAsync());
    }

    [Fact]
    public async Task At_the_bound_the_idlest_connection_makes_room()
    {
        await using var server = await ServerUnderTest.StartAsync(new NetworkOptions { MaxConnections = 2, EvictIdleAfter = TimeSpan.Zero });
        using var first = await server.ConnectAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.ConnectionCount == 1));
        using var second = await server.ConnectAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.ConnectionCount == 2));

        Assert.True(await server.AnswersAsync());
        Assert.True(await first.IsEndedInOrderAsync());
    }

    [Fact]
    public async Task One_address_has_a_bound_of_its_own()
    {
        await using var server = await ServerUnderTest.StartAsync(new NetworkOptions { MaxConnectionsPerAddress = 1 });
        using var first = await server.ConnectAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.ConnectionCount == 1));
        using var second = await server.ConnectAsync();
        await second.SendAsync(new ApiVersionsRequest(), version: 0, correlationId: 1);

        Assert.True(await second.IsEndedInOrderAsync());
        Assert.Equal(1, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task A_peer_that_leaves_is_no_news()
    {
        await using var server = await ServerUnderTest.StartAsync();
        for (var check = 0; check < 3; check++)
        {
            (await server.ConnectAsync()).Reset();
            (await server.ConnectAsync()).Dispose();
            using var dying = await server.ConnectAsync();
            await dying.SendBytesAsync(new byte[] { 0, 0, 1, 0, 0, 18 });
        }

        Assert.True(await Eventually.BecomesTrueAsync(() => server.Log.Lines.Count(line => line.Message.Contains(" ended", StringComparison.Ordinal)) >= 9));
        Assert.DoesNotContain(
            server.Log.Lines,
            line => line.Level > LogLevel.Debug
                && line.Message.Contains("127.0.0.1", StringComparison.Ordinal)
                && !line.Message.StartsWith("Listening", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Half_open_connections_by_the_thousand_disturb_nobody()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var silent = new List<RawClient>();
        try
        {
            for (var i = 0; i < 1_000; i++)
            {
                var client = await server.ConnectAsync();
                silent.Add(client);
                await client.SendBytesAsync(new byte[i % 4]);
            }

            Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.ConnectionCount == 1_000));
            Assert.True(await server.AnswersAsync());
            Assert.Equal(0, server.Buffers.RentedBytes);
        }
        finally
        {
            silent.ForEach(client => client.Dispose());
        }

        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.ConnectionCount == 0));
    }
}
