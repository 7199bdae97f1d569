using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Logging;
using Millrace.Broker.Network;
using Millrace.Protocol;
using Xunit;

namespace Millrace.Tests.Broker.Network;

public sealed class NetworkServerTests
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
    public async Task ApiVersions_of_an_unknown_version_is_answered_in_the_oldest_one()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        var frame = RawClient.Frame(new ApiVersionsRequest { ClientSoftwareName = "x", ClientSoftwareVersion = "1" }, version: 4, correlationId: 7);
        BinaryPrimitives.WriteInt16BigEndian(frame.AsSpan(6), 99);
        await client.SendBytesAsync(frame);

        var (correlationId, response) = await client.ReceiveAsync<ApiVersionsResponse>(0);

        Assert.Equal(7, correlationId);
        Assert.Equal((short)ErrorCode.UnsupportedVersion, response.ErrorCode);
        var api = Assert.Single(response.ApiKeys);
        Assert.Equal((18, 0, 4), (api.ApiKey, api.MinVersion, api.MaxVersion));
        await client.SendAsync(new ApiVersionsRequest { ClientSoftwareName = "x", ClientSoftwareVersion = "1" }, version: 4, correlationId: 8);
        Assert.Equal(8, (await client.ReceiveAsync<ApiVersionsResponse>(4)).CorrelationId);
    }

    [Theory]
    [InlineData("librdkafka", "2.15.0", ErrorCode.None)]
    [InlineData("a", "1", ErrorCode.None)]
    [InlineData("", "1", ErrorCode.InvalidRequest)]
    [InlineData("-x", "1", ErrorCode.InvalidRequest)]
    [InlineData("two words", "1", ErrorCode.InvalidRequest)]
    [InlineData("x\n", "1", ErrorCode.InvalidRequest)]
    public async Task ApiVersions_checks_the_names_of_software(string name, string version, ErrorCode expected)
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendAsync(new ApiVersionsRequest { ClientSoftwareName = name, ClientSoftwareVersion = version }, version: 3, correlationId: 1);

        Assert.Equal((short)expected, (await client.ReceiveAsync<ApiVersionsResponse>(3)).Response.ErrorCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(7)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public async Task A_frame_of_an_impossible_size_closes_the_connection(int size)
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        var frame = new byte[64];
        BinaryPrimitives.WriteInt32BigEndian(frame, size);
        await client.SendBytesAsync(frame);

        Assert.True(await client.IsClosedByServerAsync());
        Assert.True(await server.AnswersAsync());
        Assert.True(await server.AllBuffersAreReturnedAsync());
    }

    [Theory]
    [InlineData(4, 0)] // LeaderAndIsr: was never for clients.
    [InlineData(999, 0)]
    [InlineData(-1, 0)]
    [InlineData(12, 5)]
    [InlineData(12, -1)]
    [InlineData(0, 2)]
    public async Task An_unknown_api_or_version_closes_the_connection_without_an_answer(short key, short version)
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        var body = new byte[10];
        BinaryPrimitives.WriteInt16BigEndian(body, key);
        BinaryPrimitives.WriteInt16BigEndian(body.AsSpan(2), version);
        await client.SendBytesAsync(RawClient.Frame(body));

        Assert.True(await client.IsClosedByServerAsync());
        Assert.True(await server.AnswersAsync());
    }

    [Fact]
    public async Task Requests_before_a_bad_one_are_answered()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendBytesAsync((byte[])[.. RawClient.Frame(new ApiVersionsRequest(), 0, 1), .. RawClient.Frame(new byte[12].Select(_ => (byte)0xFF).ToArray())]);

        Assert.Equal(1, (await client.ReceiveAsync<ApiVersionsResponse>(0)).CorrelationId);
        Assert.True(await client.IsClosedByServerAsync());
    }

    [Fact]
    public async Task Random_and_truncated_frames_leave_a_healthy_server()
    {
        await using var server = await ServerUnderTest.StartAsync();
        server.Handler.Release(1);
        var good = RawClient.Frame(new HeartbeatRequest { GenerationId = 1, GroupId = "g", MemberId = "m" }, version: 4, correlationId: 1);
        var random = new Random(20261122);
        for (var round = 0; round < 200; round++)
        {
            using var client = await server.ConnectAsync();
            var bytes = good.ToArray();
            if (round % 2 == 0)
            {
                random.NextBytes(bytes.AsSpan(4));
            }
            else
            {
                // The size says the truth about a body that ends too early for its schema.
                bytes = RawClient.Frame(good.AsSpan(4, 8 + random.Next(good.Length - 12)));
            }

            await client.SendBytesAsync(bytes);
            client.CloseSending();
            Assert.True(await client.IsClosedByServerAsync());
        }

        Assert.True(await server.AnswersAsync());
        Assert.True(await server.AllBuffersAreReturnedAsync());
    }

    [Fact]
    public async Task A_frame_that_arrives_byte_by_byte_is_served()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        foreach (var one in RawClient.Frame(new ApiVersionsRequest(), version: 0, correlationId: 5))
        {
            await client.SendBytesAsync(new[] { one });
        }

        Assert.Equal(5, (await client.ReceiveAsync<ApiVersionsResponse>(0)).CorrelationId);
    }

    [Fact]
    public async Task A_frame_larger_than_what_is_taken_at_first_arrives_whole()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var sent = new string('x', 7_000_000) + "end";
        var received = "";
        server.Handler.OnBegin = context => received = System.Text.Encoding.ASCII.GetString(context.Frame.GetSpan()[^8..]);
        server.Handler.Release(0);
        using var client = await server.ConnectAsync();
        await client.SendAsync(new HeartbeatRequest { GroupId = sent, MemberId = "member" }, version: 4, correlationId: 1);
        await client.SendAsync(new ApiVersionsRequest(), version: 0, correlationId: 2);

        Assert.Equal(1, (await client.ReceiveAsync<HeartbeatResponse>(4)).CorrelationId);
        Assert.Equal(2, (await client.ReceiveAsync<ApiVersionsResponse>(0)).CorrelationId);
        Assert.StartsWith("member", received, StringComparison.Ordinal);
        Assert.True(await server.AllBuffersAreReturnedAsync());
    }

    [Fact]
    public async Task A_frame_that_comes_too_slowly_closes_its_connection()
    {
        await using var server = await ServerUnderTest.StartAsync(new NetworkOptions { SlowFrameGrace = TimeSpan.FromMilliseconds(200) });
        using var client = await server.ConnectAsync();
        await client.SendBytesAsync(new byte[] { 0, 0, 1, 0, 0, 18 });

        Assert.True(await client.IsClosedByServerAsync());
        Assert.True(await server.AllBuffersAreReturnedAsync());
    }

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
    public async Task A_client_that_is_closed_for_what_it_sent_gets_the_answers_before_and_an_orderly_end_though_much_is_unread()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendBytesAsync((byte[])[.. RawClient.Frame(new ApiVersionsRequest(), 0, 1), .. Enumerable.Repeat((byte)0x7F, 1 << 20)]);

        Assert.Equal(1, (await client.ReceiveAsync<ApiVersionsResponse>(0)).CorrelationId);
        Assert.True(await client.IsEndedInOrderAsync());
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
        Assert.DoesNotContain(server.Log.Lines, line => line.Level > LogLevel.Debug && line.Message.Contains("127.0.0.1", StringComparison.Ordinal) && !line.Message.StartsWith("Listening", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\u0016\u0003\u0001\u0002\u0000\u0001", "a TLS handshake")]
    [InlineData("GET /metrics HTTP/1.1\r\n\r\n", "an HTTP request")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "an SSH client")]
    [InlineData("\u007f\u007f\u007f\u007f\u007f\u007f", "A frame of 2139062143 bytes was announced")]
    public async Task The_log_says_what_a_peer_speaks_that_is_not_Kafka(string sent, string expected)
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendBytesAsync(Encoding.Latin1.GetBytes(sent));

        Assert.True(await client.IsEndedInOrderAsync());
        Assert.Single(server.Log.Saying(expected));
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

    [Fact]
    public async Task Draining_lets_calls_end_that_let_themselves_be_cancelled_and_accepts_nobody()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var waiting = await server.ConnectAsync();
        await waiting.SendAsync(new HeartbeatRequest { GenerationId = 1 }, version: 0, correlationId: 1);
        using var idle = await server.ConnectAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Handler.Begun.Count == 1 && server.Server.ConnectionCount == 2));

        await server.Server.DrainAsync(TimeSpan.FromSeconds(30));

        Assert.Equal(0, server.Server.ConnectionCount);
        Assert.True(await idle.IsEndedInOrderAsync());
        Assert.True(await waiting.IsEndedInOrderAsync());
        await Assert.ThrowsAnyAsync<System.Net.Sockets.SocketException>(server.ConnectAsync);
    }

    [Fact]
    public async Task A_connection_whose_end_fails_gives_its_place_back_and_keeps_no_stop_waiting()
    {
        await using var server = await ServerUnderTest.StartAsync();
        var listener = new UnendingListener();
        server.Server.Serve(listener, ListenerName.Plaintext);
        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.ConnectionCount == 1));

        await listener.Input.Writer.CompleteAsync();

        Assert.True(await Eventually.BecomesTrueAsync(() => server.Server.ConnectionCount == 0));
        await server.Server.DrainAsync(TimeSpan.FromSeconds(30)).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
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
