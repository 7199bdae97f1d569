using Millrace.Protocol;
using Millrace.Tests.Network.Serving;
using Xunit;

namespace Millrace.Tests.Network.Requests;

/// <summary>What a request passes between its bytes and its handler, over a connection.</summary>
public sealed class RequestStepsTests
{
    private readonly StepsUnderTest _steps = new();

    [Fact]
    public async Task A_client_that_has_not_authenticated_is_disconnected_and_its_handler_not_called()
    {
        _steps.Authenticated = api => api == ApiKey.ApiVersions ? StepsUnderTest.Known : null;
        await using var server = await ServerUnderTest.StartAsync(steps: _steps.Steps);
        using var client = await server.ConnectAsync();
        await client.SendAsync(new ApiVersionsRequest(), version: 0, correlationId: 1);
        await client.SendAsync(new HeartbeatRequest { GroupId = "g" }, version: 4, correlationId: 2);

        Assert.Equal(1, (await client.ReceiveAsync<ApiVersionsResponse>(0)).CorrelationId);
        Assert.True(await client.IsEndedInOrderAsync());
        Assert.Empty(server.Handler.Begun);
        Assert.Single(server.Log.Saying("Heartbeat came before the client had authenticated"));
        Assert.True(await server.AllBuffersAreReturnedAsync());
    }

    [Fact]
    public async Task What_the_authorizer_refuses_is_answered_with_Kafkas_error_and_its_handler_not_called()
    {
        _steps.Forbidden = (_, _, name) => name == "secret";
        await using var server = await ServerUnderTest.StartAsync(steps: _steps.Steps);
        server.Handler.Release(1);
        using var client = await server.ConnectAsync();
        await client.SendAsync(new HeartbeatRequest { GroupId = "secret", GenerationId = 1 }, version: 4, correlationId: 1);
        await client.SendAsync(new HeartbeatRequest { GroupId = "open", GenerationId = 1 }, version: 4, correlationId: 2);

        Assert.Equal((short)ErrorCode.GroupAuthorizationFailed, (await client.ReceiveAsync<HeartbeatResponse>(4)).Response.ErrorCode);
        Assert.Equal((short)ErrorCode.None, (await client.ReceiveAsync<HeartbeatResponse>(4)).Response.ErrorCode);
        Assert.Equal([1], server.Handler.Begun);
    }

    [Fact]
    public async Task A_throttled_client_is_answered_at_once_and_told_to_pause_and_its_next_request_waits()
    {
        _steps.Pause = call => call.CorrelationId == 1 ? TimeSpan.FromHours(1) : TimeSpan.Zero;
        await using var server = await ServerUnderTest.StartAsync(steps: _steps.Steps);
        server.Handler.Release(1);
        server.Handler.Release(2);
        using var client = await server.ConnectAsync();
        await client.SendAsync(new HeartbeatRequest { GenerationId = 1 }, version: 4, correlationId: 1);
        await client.SendAsync(new HeartbeatRequest { GenerationId = 1 }, version: 4, correlationId: 3);

        Assert.Equal(3_600_000, (await client.ReceiveAsync<HeartbeatResponse>(4)).Response.ThrottleTimeMs);
        using (var other = await server.ConnectAsync())
        {
            // By the time that others are served the next request would have begun too.
            await other.SendAsync(new HeartbeatRequest { GenerationId = 2 }, version: 4, correlationId: 2);
            await other.ReceiveAsync<HeartbeatResponse>(4);
        }

        Assert.Equal([1, 2], server.Handler.Begun);
        await server.Server.DrainAsync(TimeSpan.FromSeconds(30));
        Assert.True(await client.IsEndedInOrderAsync());
    }

    [Fact]
    public async Task A_version_that_has_no_room_for_a_pause_is_answered_without_it()
    {
        _steps.Pause = _ => TimeSpan.FromMilliseconds(1);
        await using var server = await ServerUnderTest.StartAsync(steps: _steps.Steps);
        server.Handler.Release(1);
        using var client = await server.ConnectAsync();
        await client.SendAsync(new HeartbeatRequest { GenerationId = 1 }, version: 0, correlationId: 1);

        Assert.Equal((short)ErrorCode.None, (await client.ReceiveAsync<HeartbeatResponse>(0)).Response.ErrorCode);
    }
}
