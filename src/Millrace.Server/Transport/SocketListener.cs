using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Millrace.Runtime;

namespace Millrace.Server.Transport;

/// <summary>Accepts connections on a bound socket. Running out of descriptors or of kernel memory delays them, and nothing else.</summary>
/// <remarks>Threading: one caller accepts; any thread may unbind.</remarks>
internal sealed class SocketListener(NodeRuntime runtime, Socket socket, TransportBlocks blocks) : IConnectionListener
{
    // What is lacking comes back when other connections or files close; until then each attempt finds the same.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<SocketListener>();
    private readonly Shortage _shortage = new(runtime.Time);
    private readonly CancellationTokenSource _unbound = new();
    private readonly BackOff _pauses = new(runtime, FirstPause, LongestPause);
    private long _accepted;

    public EndPoint EndPoint { get; } = socket.LocalEndPoint!;

    /// <summary>Takes the next connection from the kernel; tests let it fail.</summary>
    internal Func<CancellationToken, ValueTask<Socket>> Accept { get; init; } = socket.AcceptAsync;

    /// <returns>Null once the listener is unbound.</returns>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                var accepted = await Accept(cancellationToken);
                _pauses.Reset();
                if (_shortage.TryEnd())
                {
                    ServerMessages.AcceptsAgain(_logger, EndPoint);
                }

                if (TryOpen(accepted) is { } connection)
                {
                    return connection;
                }
            }
            catch (Exception ended) when (_unbound.IsCancellationRequested && ended is SocketException or ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException failure) when (failure.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                // The peer has left the backlog: the next one is waiting there.
            }
            catch (Exception failure) when (failure is SocketException or OutOfMemoryException)
            {
                if (_shortage.Begin())
                {
                    ServerMessages.AcceptsNobody(_logger, EndPoint, failure.Message);
                }

                await PauseAsync(cancellationToken);
            }
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _unbound.Cancel();
        socket.Dispose();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await UnbindAsync();

    /// <returns>Null if the peer has left already: a socket whose connection was reset takes no options.</returns>
    private SocketConnection? TryOpen(Socket accepted)
    {
        try
        {
            accepted.NoDelay = true;
            var id = string.Create(CultureInfo.InvariantCulture, $"{EndPoint}-{++_accepted}");
            return new SocketConnection(runtime, accepted, blocks, id);
        }
        catch (SocketException)
        {
            accepted.Dispose();
            return null;
        }
        catch
        {
            accepted.Dispose();
            throw;
        }
    }

    private async ValueTask PauseAsync(CancellationToken token)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_unbound.Token, token);
        try
        {
            await _pauses.PauseAsync(either.Token);
        }
        catch (OperationCanceledException) when (_unbound.IsCancellationRequested)
        {
            // The next attempt finds the socket closed.
        }
    }
}
