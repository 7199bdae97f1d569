using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Server.Transport;

/// <summary>TCP connections, for Kafka's protocol and for HTTP.</summary>
/// <remarks>
/// Our own and not Kestrel's, which spins when the process is out of descriptors, and resets connections where an orderly end
/// was meant (ADR 4). Threading: any thread.
/// </remarks>
internal sealed class SocketTransport(NodeRuntime runtime, BufferPool buffers) : IConnectionListenerFactory, IConnectionFactory
{
    private const int Backlog = 512;

    // Linux's TCP_USER_TIMEOUT, which the framework has no name for.
    private const int TcpUserTimeout = 18;

    /// <summary>For how long a node that we have connected to may leave unacknowledged what was sent, or that we are there.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(2);
    private readonly TransportBlocks _blocks = new(buffers);

    /// <exception cref="AddressInUseException">Another process listens there.</exception>
    /// <exception cref="SocketException">The address cannot be used.</exception>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket? socket = null;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            socket.Listen(Backlog);
            // The words for a lack of descriptors come from files that could not be opened then, and the runtime ends the process over that.
            _ = new SocketException((int)SocketError.TooManyOpenSockets).Message;
            return ValueTask.FromResult<IConnectionListener>(new SocketListener(runtime, socket, _blocks));
        }
        catch (SocketException failure)
        {
            socket?.Dispose();
            throw failure.SocketErrorCode == SocketError.AddressAlreadyInUse ? new AddressInUseException(failure.Message, failure) : failure;
        }
    }

    /// <exception cref="SocketException">Nobody can be reached there.</exception>
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            EndsWhenLost(socket);
            await socket.ConnectAsync(endpoint, cancellationToken);
            return new SocketConnection(runtime, socket, _blocks, $"to-{endpoint}");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // A way may be lost for one connection alone: whatever stands between has forgotten it, idle as it was. What is asked by it would be waited for
    // until the kernel gives up, after a quarter of an hour, while the node is heard by others.
    private static void EndsWhenLost(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)KeepAliveInterval.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, (int)KeepAliveInterval.TotalSeconds);
        socket.SetSocketOption(
            SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, (int)(LongestSilence / KeepAliveInterval));
        socket.SetRawSocketOption((int)ProtocolType.Tcp, TcpUserTimeout, BitConverter.GetBytes((int)LongestSilence.TotalMilliseconds));
    }

    /// <summary>Gives up memory that no connection needed since the last call. To be called every few seconds.</summary>
    public void Trim() => _blocks.Trim();
}
