using System.Net;
using System.Net.Sockets;
using Millrace.Runtime.Buffers;
using Millrace.Server.Transport;
using Xunit;

namespace Millrace.Tests.Server.Transport;

public sealed class SocketListenerTests
{
    private const int Lacking = 3;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SocketError.TooManyOpenSockets)]
    [InlineData(SocketError.NoBufferSpaceAvailable)]
    public async Task A_lack_of_descriptors_delays_a_connection_and_is_told_once(SocketError lack)
    {
        using var log = new RecordedLog();
        using var node = new RealNode(log);
        using var buffers = new BufferPool(maxIdleBytes: 0);
        var attempts = 0;
        var socket = Listening();
        await using var listener = new SocketListener(node.Runtime, socket, new TransportBlocks(buffers))
        {
            Accept = token => ++attempts <= Lacking ? throw new SocketException((int)lack) : socket.AcceptAsync(token),
        };
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.EndPoint, Token);

        await using var connection = await listener.AcceptAsync(Token);
        Assert.NotNull(connection);
        Assert.Equal(Lacking + 1, attempts);
        Assert.Single(log.Saying("No connection can be accepted on"));
    }

    [Fact]
    public async Task Peers_that_leave_before_their_turn_are_no_lack()
    {
        using var log = new RecordedLog();
        using var node = new RealNode(log);
        using var buffers = new BufferPool(maxIdleBytes: 0);
        var attempts = 0;
        var socket = Listening();
        await using var listener = new SocketListener(node.Runtime, socket, new TransportBlocks(buffers))
        {
            Accept = token => ++attempts == 1 ? throw new SocketException((int)SocketError.ConnectionAborted) : socket.AcceptAsync(token),
        };
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.EndPoint, Token);

        await using var connection = await listener.AcceptAsync(Token);
        Assert.NotNull(connection);
        Assert.Empty(log.Lines);
    }

    private static Socket Listening()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }
}
