using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Millrace.Runtime.Buffers;
using Millrace.Server.Transport;
using Xunit;

namespace Millrace.Tests.Server.Transport;

public sealed class SocketTransportTests : IAsyncLifetime
{
    private const int Sent = 1 << 20;
    private readonly BufferPool _buffers = new(maxIdleBytes: 0);
    private readonly RealNode _node = new();
    private readonly SocketTransport _transport;
    private readonly Socket _client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private IConnectionListener? _listener;
    private ConnectionContext? _connection;

    public SocketTransportTests() => _transport = new SocketTransport(_node.Runtime, _buffers);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _listener = await _transport.BindAsync(new IPEndPoint(IPAddress.Loopback, 0), Token);
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
    public async Task A_connection_to_another_node_is_kept_alive_so_that_one_whose_way_is_lost_ends()
    {
        await using var connection = await _transport.ConnectAsync(_listener!.EndPoint, Token);
        var (from, to) = ((IPEndPoint)connection.LocalEndPoint!, (IPEndPoint)connection.RemoteEndPoint!);
        var table = await File.ReadAllLinesAsync(from.AddressFamily == AddressFamily.InterNetwork ? "/proc/self/net/tcp" : "/proc/self/net/tcp6", Token);
        var fields = table.Select(row => row.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Single(row => row[1].EndsWith($":{from.Port:X4}", StringComparison.Ordinal) && row[2].EndsWith($":{to.Port:X4}", StringComparison.Ordinal));

        // The timer of connections that nothing is sent by.
        Assert.StartsWith("02:", fields[5], StringComparison.Ordinal);
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

    [Fact]
    public async Task An_orderly_end_sends_everything_first_and_lets_a_peer_go_on_sending_until_it_has_read_that()
    {
        var bytes = new byte[Sent];
        new Random(2).NextBytes(bytes);
        var written = _connection!.Transport.Output.WriteAsync(bytes, Token).AsTask();
        await _client.SendAsync(new byte[Sent], Token);

        // Nobody has read what the client sent: a plain close would answer it with RST, and cost it what it has not read yet.
        var ended = Task.Factory.StartNew(
            async () =>
            {
                await written;
                await _connection.DisposeAsync();
            },
            Token,
            TaskCreationOptions.None,
            TaskScheduler.Default).Unwrap();

        Assert.Equal(bytes, await ReceiveAsync());
        Assert.Equal(0, await _client.ReceiveAsync(new byte[1], Token));
        _client.Shutdown(SocketShutdown.Send);
        await ended;
    }

    [Fact]
    public async Task A_peer_that_never_closes_its_side_does_not_hold_up_an_orderly_end()
    {
        await _connection!.DisposeAsync();

        Assert.Equal(0, await _client.ReceiveAsync(new byte[1], Token));
    }

    [Fact]
    public async Task An_abort_of_a_connection_with_nothing_unread_is_an_ordinary_end_for_its_peer()
    {
        _connection!.Abort(new ConnectionAbortedException("not needed"));

        Assert.Equal(0, await _client.ReceiveAsync(new byte[1], Token));
        await Assert.ThrowsAsync<ConnectionAbortedException>(async () => await _connection.Transport.Input.ReadAsync(Token));
        Assert.True(await Eventually.BecomesTrueAsync(() => _connection.ConnectionClosed.IsCancellationRequested));
    }

    [Fact]
    public async Task An_abort_ends_a_write_that_the_peer_does_not_take()
    {
        var written = _connection!.Transport.Output.WriteAsync(new byte[64 * Sent], Token);
        Assert.False(written.IsCompleted);

        _connection.Abort(new ConnectionAbortedException("it takes nothing"));

        Assert.True((await written).IsCompleted);
    }

    [Fact]
    public async Task A_reset_reaches_the_reader()
    {
        _client.Close(0);

        await Assert.ThrowsAsync<ConnectionResetException>(async () => await _connection!.Transport.Input.ReadAsync(Token));
    }

    [Fact]
    public async Task A_peer_that_has_reset_before_it_is_accepted_is_passed_over_or_ends()
    {
        using (var hasty = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            await hasty.ConnectAsync(_listener!.EndPoint, Token);
            hasty.LingerState = new LingerOption(true, 0);
        }

        using var next = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await next.ConnectAsync(_listener.EndPoint, Token);
        while (true)
        {
            await using var accepted = await _listener.AcceptAsync(Token);
            if (accepted!.RemoteEndPoint!.Equals(next.LocalEndPoint))
            {
                return;
            }
        }
    }

    [Fact]
    public async Task An_unbound_listener_accepts_nobody_more()
    {
        var accepting = _listener!.AcceptAsync(Token);
        await _listener.UnbindAsync(Token);

        Assert.Null(await accepting);
        Assert.Null(await _listener.AcceptAsync(Token));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _connection!.DisposeAsync();
        await _listener!.DisposeAsync();
        _node.Dispose();
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
