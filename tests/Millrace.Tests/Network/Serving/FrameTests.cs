using System.Buffers.Binary;
using System.Text;
using Millrace.Network.Serving;
using Millrace.Protocol;
using Xunit;

namespace Millrace.Tests.Network.Serving;

/// <summary>What peers send, whole, cut, slowly, or in another language.</summary>
public sealed class FrameTests
{
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

    [Fact]
    public async Task Requests_before_a_bad_one_are_answered()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendBytesAsync(
            (byte[])[.. RawClient.Frame(new ApiVersionsRequest(), 0, 1), .. RawClient.Frame(new byte[12].Select(_ => (byte)0xFF).ToArray())]);

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
    public async Task A_client_that_is_closed_for_what_it_sent_gets_the_answers_before_and_an_orderly_end_though_much_is_unread()
    {
        await using var server = await ServerUnderTest.StartAsync();
        using var client = await server.ConnectAsync();
        await client.SendBytesAsync((byte[])[.. RawClient.Frame(new ApiVersionsRequest(), 0, 1), .. Enumerable.Repeat((byte)0x7F, 1 << 20)]);

        Assert.Equal(1, (await client.ReceiveAsync<ApiVersionsResponse>(0)).CorrelationId);
        Assert.True(await client.IsEndedInOrderAsync());
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
}
