using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Server.Composition;
using Xunit;

namespace Millrace.Tests.Server.Composition;

public sealed class SocketTransportTests : IAsyncLifetime
{
    private const int Sent = 1 << 20;
    private readonly BufferPool _buffers = new(maxIdleBytes: 0);
    private readonly SocketTransport _transport;
    private readonly Socket _client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private IConnectionListener? _listener;
    private ConnectionContext? _connection;

    public SocketTransportTests() => _transport = new SocketTransport(_buffers, NullLoggerFactory.Instance);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _listener = await _transport.Listeners.BindAsync(new IPEndPoint(IPAddress.Loopback, 0), Token);
        await _client.ConnectAsync(_listener.EndPoint, Token);
        _connection = await _listener.AcceptAsync(Token);
    }

    // Otherwise a gigabyte of records costs half a million system calls, and everything else still works.
    [Fact]
    public async Task What_arrives_together_is_received_in_large_blocks()
    {
        await _client.SendAsync(new byte[TransportBlocks.BlockBytes], Token);
        var read = await _connection!.Transport.Input.ReadAtLeastAsync(TransportBlocks.BlockBytes, Token);
        // A block is left for the next when less than half of it is free.
        Assert.InRange(read.Buffer.FirstSpan.Length, TransportBlocks.BlockBytes / 2, TransportBlocks.BlockBytes);
    }

    [Fact]
    public async Task What_takes_many_blocks_is_sent_whole()
    {
        var bytes = new byte[Sent];
        new Random(1).NextBytes(bytes);
        var received = ReceiveAsync();
        await _connection!.Transport.Output.WriteAsync(bytes, Token);
        Assert.Equal(bytes, await received);
    }

    [Fact]
    public async Task What_a_client_has_not_taken_is_counted_until_nobody_needs_its_memory()
    {
        var bytes = new byte[64 * Sent];
        var written = _connection!.Transport.Output.WriteAsync(bytes, Token);
        Assert.False(written.IsCompleted);
        // Less what the kernel has taken.
        Assert.InRange(_buffers.RentedBytes, 32 * Sent, 65 * Sent);

        _client.Dispose();
        await written;
        await _connection.DisposeAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() =>
        {
            _transport.Trim();
            return _buffers.RentedBytes == 0;
        }));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _connection!.DisposeAsync();
        await _listener!.DisposeAsync();
        await _transport.DisposeAsync();
        _buffers.Dispose();
    }

    private async Task<byte[]> ReceiveAsync()
    {
        var bytes = new byte[Sent];
        await using var stream = new NetworkStream(_client);
        await stream.ReadExactlyAsync(bytes, Token);
        return bytes;
    }
}
