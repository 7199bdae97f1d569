using Millrace.Network.Serving;
using Millrace.Protocol;
using Xunit;

namespace Millrace.Tests.Network.Serving;

/// <summary>The requests of one connection: when each begins, when its answer leaves, and what it holds until then.</summary>
public sealed class RequestOrderTests
{
    [Fact]
    public async Task Answers_leave_in_request_order_though_calls_end_in_another()
    {
        await using var server = await ServerUnderTest.StartAsync(lettingNextBegin: true);
        using var client = await server.ConnectAsync();
        foreach (var number in Enumerable.Range(1, 5))
        {
            await client.SendAsync(new HeartbeatRequest { GenerationId = number }, version: 4, correlationId: 100 + number);
        }

        Assert.True(await Eventually.BecomesTrueAsync(() => server.Handler.Begun.Count == 5));
        foreach (var number in new[] { 3, 5, 2, 1, 4 })
        {
            server.Handler.Release(number);
        }

        foreach (var number in Enumerable.Range(1, 5))
        {
            var (correlationId, response) = await client.ReceiveAsync<HeartbeatResponse>(4);
            Assert.Equal(100 + number, correlationId);
            Assert.Equal(number, response.ThrottleTimeMs);
        }

        Assert.Equal([1, 2, 3, 4, 5], server.Handler.Begun);
        Assert.True(await server.AllBuffersAreReturnedAsync());
    }

    [Fact]
    public async Task A_request_begins_only_when_the_one_before_it_is_done_or_lets_it()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendAsync(new HeartbeatRequest { GenerationId = 1 }, version: 0, correlationId: 1);
        await client.SendAsync(new HeartbeatRequest { GenerationId = 2 }, version: 0, correlationId: 2);
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Handler.Begun.Count == 1));
        using (var other = await server.ConnectAsync())
        {
            // Others are not held up; by the time they are served the second request would have begun too.
            server.Handler.Release(9);
            await other.SendAsync(new HeartbeatRequest { GenerationId = 9 }, version: 4, correlationId: 9);
            await other.ReceiveAsync<HeartbeatResponse>(4);
        }

        Assert.Equal([1, 9], server.Handler.Begun);
        server.Handler.Release(1);
        server.Handler.Release(2);
        Assert.Equal(1, (await client.ReceiveAsync<HeartbeatResponse>(0)).CorrelationId);
        Assert.Equal(2, (await client.ReceiveAsync<HeartbeatResponse>(0)).CorrelationId);
        Assert.Equal([1, 9, 2], server.Handler.Begun);
    }

    [Fact]
    public async Task No_request_begins_while_an_answer_before_it_holds_memory()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var (isReleased, wasReleased) = (false, false);
        server.Handler.OnBegin = context =>
        {
            switch (context.CorrelationId)
            {
                case 1:
                    context.AllowNext();
                    break;
                case 2:
                    context.ReleaseAfterResponse(new Lease(() => isReleased = true));
                    break;
                case 3:
                    wasReleased = isReleased;
                    break;
            }
        };
        server.Handler.Release(2);
        server.Handler.Release(3);
        server.Handler.Release(9);
        using var client = await server.ConnectAsync();
        foreach (var number in Enumerable.Range(1, 3))
        {
            await client.SendAsync(new HeartbeatRequest { GenerationId = number }, version: 0, correlationId: number);
        }

        // The second answer is there, but cannot be written before the first.
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Handler.Begun.Contains(2)));
        using (var other = await server.ConnectAsync())
        {
            await other.SendAsync(new HeartbeatRequest { GenerationId = 9 }, version: 0, correlationId: 9);
            await other.ReceiveAsync<HeartbeatResponse>(0);
        }

        Assert.Equal([1, 2, 9], server.Handler.Begun);
        server.Handler.Release(1);
        foreach (var number in Enumerable.Range(1, 3))
        {
            Assert.Equal(number, (await client.ReceiveAsync<HeartbeatResponse>(0)).CorrelationId);
        }

        Assert.True(wasReleased);
    }

    [Fact]
    public async Task Requests_beyond_a_connections_bound_are_not_read()
    {
        await using var server = await ServerUnderTest.StartAsync(new NetworkOptions { MaxRequestsPerConnection = 3 }, lettingNextBegin: true);
        using var client = await server.ConnectAsync();
        for (var i = 1; i <= 10; i++)
        {
            await client.SendAsync(new HeartbeatRequest { GenerationId = i }, version: 0, correlationId: i);
        }

        // One more than the bound: the first is with the writing loop, which waits for it.
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Handler.Begun.Count == 4));
        Assert.True(await server.AnswersAsync());
        Assert.Equal(4, server.Handler.Begun.Count);
        for (var i = 1; i <= 10; i++)
        {
            server.Handler.Release(i);
            Assert.Equal(i, (await client.ReceiveAsync<HeartbeatResponse>(0)).CorrelationId);
        }
    }

    [Fact]
    public async Task A_client_that_leaves_cancels_what_it_waits_for()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using (var client = await server.ConnectAsync())
        {
            await client.SendAsync(new HeartbeatRequest { GenerationId = 1 }, version: 0, correlationId: 1);
            Assert.True(await Eventually.BecomesTrueAsync(() => server.Handler.Begun.Count == 1));
        }

        Assert.True(await Eventually.BecomesTrueAsync(() => server.Handler.Cancelled.Count == 1));
        Assert.True(await server.AllBuffersAreReturnedAsync());
    }

    [Fact]
    public async Task A_suppressed_answer_is_not_sent_and_a_disconnect_comes_in_turn()
    {
        await using var server = await ServerUnderTest.StartAsync(lettingNextBegin: true);
        server.Handler.OnBegin = context =>
        {
            switch (context.CorrelationId)
            {
                case 2:
                    context.SuppressResponse();
                    break;
                case 4:
                    context.Disconnect();
                    break;
            }
        };
        using var client = await server.ConnectAsync();
        for (var i = 1; i <= 4; i++)
        {
            await client.SendAsync(new HeartbeatRequest { GenerationId = i }, version: 0, correlationId: i);
        }

        for (var i = 4; i >= 1; i--)
        {
            server.Handler.Release(i);
        }

        Assert.Equal(1, (await client.ReceiveAsync<HeartbeatResponse>(0)).CorrelationId);
        Assert.Equal(3, (await client.ReceiveAsync<HeartbeatResponse>(0)).CorrelationId);
        Assert.True(await client.IsClosedByServerAsync());
    }

    [Fact]
    public async Task A_connection_that_is_to_end_behind_an_answer_sends_that_and_those_before_it_and_none_behind()
    {
        await using var server = await ServerUnderTest.StartAsync(lettingNextBegin: true);
        server.Handler.OnBegin = context =>
        {
            if (context.CorrelationId == 2)
            {
                context.DisconnectAfterResponse();
            }
        };
        using var client = await server.ConnectAsync();
        for (var i = 1; i <= 3; i++)
        {
            await client.SendAsync(new HeartbeatRequest { GenerationId = i }, version: 0, correlationId: i);
        }

        Assert.True(await Eventually.BecomesTrueAsync(() => server.Handler.Begun.Count == 3));
        for (var i = 3; i >= 1; i--)
        {
            server.Handler.Release(i);
        }

        Assert.Equal(1, (await client.ReceiveAsync<HeartbeatResponse>(0)).CorrelationId);
        Assert.Equal(2, (await client.ReceiveAsync<HeartbeatResponse>(0)).CorrelationId);
        Assert.True(await client.IsEndedInOrderAsync());
        Assert.True(await server.AllBuffersAreReturnedAsync());
    }

    [Fact]
    public async Task Leases_are_released_once_the_answer_is_written()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var lease = new CountingLease();
        server.Handler.OnBegin = context => context.ReleaseAfterResponse(lease);
        using var client = await server.ConnectAsync();
        await client.SendAsync(new HeartbeatRequest { GenerationId = 1 }, version: 0, correlationId: 1);
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Handler.Begun.Count == 1));
        Assert.Equal(0, lease.Disposals);
        server.Handler.Release(1);
        await client.ReceiveAsync<HeartbeatResponse>(0);

        Assert.True(await Eventually.BecomesTrueAsync(() => lease.Disposals == 1));
    }

    private sealed class CountingLease : IDisposable
    {
        private int _disposals;

        public int Disposals => _disposals;

        public void Dispose() => Interlocked.Increment(ref _disposals);
    }

    private sealed class Lease(Action release) : IDisposable
    {
        public void Dispose() => release();
    }
}
