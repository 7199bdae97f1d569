using Microsoft.AspNetCore.Connections;
using Millrace.Metadata.Image;
using Millrace.Runtime;

namespace Millrace.Network.Serving;

/// <summary>Takes in the connections of all listeners, within the bounds of a <see cref="ConnectionTable"/>.</summary>
/// <remarks>Threading: <see cref="RunAsync"/> once a listener, at once; the rest from any thread.</remarks>
internal sealed class AcceptLoop(NetworkServer server, ConnectionTable connections) : IDisposable
{
    /// <summary>Where no connection ends, how often is looked for one that has become idle for long enough.</summary>
    private static readonly TimeSpan EvictInterval = TimeSpan.FromSeconds(1);

    /// <summary>Refused connections that may take a descriptor for a moment, on top of those that are served.</summary>
    private const int MostRefusedAtOnce = 16;

    private readonly CancellationTokenSource _unbound = new();
    private readonly Shortage _full = new(server.Runtime.Time);
    private long _accepted;
    private int _refusing;

    /// <summary>Accepts until the listener is unbound.</summary>
    public async Task RunAsync(IConnectionListener listener, ListenerName name)
    {
        while (await listener.AcceptAsync() is { } transport)
        {
            BrokerConnection? connection = null;
            try
            {
                connection = new BrokerConnection(server, transport, name, Interlocked.Increment(ref _accepted));
                await TakeInAsync(connection);
            }
            catch (Exception failure) when (failure is not InvariantViolationException)
            {
                // One connection for which there was no memory: what its end gives back is the next one's.
                server.Metrics.ConnectionRefused();
                NetworkMessages.NotTakenIn(server.Logger, transport.RemoteEndPoint, failure.Message);
                if (connection is not null)
                {
                    connections.Remove(connection);
                }

                _ = CutAsync(transport);
            }
        }
    }

    /// <summary>The listeners are unbound: whoever waits for a place finds none any more.</summary>
    public void Unbound() => _unbound.Cancel();

    /// <summary>Says so when the bound of connections is not met any more. To be called every second or so.</summary>
    public void Check()
    {
        if (_full.TryEnd())
        {
            NetworkMessages.NotFull(server.Logger, connections.Count);
        }
    }

    public void Dispose() => _unbound.Dispose();

    private async ValueTask TakeInAsync(BrokerConnection connection)
    {
        switch (await FindPlaceAsync(connection))
        {
            case ConnectionPlace.Taken:
                NetworkMessages.Accepted(server.Logger, connection.Client.Id, connection.Client.Remote);
                _ = server.ServeAsync(connection);
                break;
            case ConnectionPlace.AddressFull:
                await RefuseAsync(connection);
                break;
            case ConnectionPlace.Full:
                await connection.RefuseAsync();
                break;
        }
    }

    /// <summary>Finds a place for a new connection. While there is none it waits, and those behind it in the listener's backlog.</summary>
    /// <returns><see cref="ConnectionPlace.Full"/> only when the server has stopped to accept meanwhile.</returns>
    private async ValueTask<ConnectionPlace> FindPlaceAsync(BrokerConnection connection)
    {
        while (true)
        {
            var removal = connections.NextRemoval;
            var place = connections.TryAdd(connection);
            if (place != ConnectionPlace.Full || _unbound.IsCancellationRequested)
            {
                return place;
            }

            if (Evict())
            {
                continue;
            }

            if (_full.Begin())
            {
                NetworkMessages.Full(server.Logger, server.Options.MaxConnections, server.Options.MaxConnectionsSetBy);
            }

            using var over = CancellationTokenSource.CreateLinkedTokenSource(_unbound.Token);
            await Waiting.Either(removal, Task.Delay(EvictInterval, server.Runtime.Time, over.Token));
            over.Cancel();
        }
    }

    /// <summary>Closes a connection that its address may not have: in order, unless many are just being closed like that.</summary>
    private async ValueTask RefuseAsync(BrokerConnection connection)
    {
        server.Metrics.ConnectionRefused();
        NetworkMessages.TooManyFromAddress(server.Logger, connection.Client.Remote, server.Options.MaxConnectionsPerAddress);
        if (Interlocked.Increment(ref _refusing) > MostRefusedAtOnce)
        {
            connection.Abort("too many are refused");
            await EndAsync();
        }
        else
        {
            _ = EndAsync();
        }

        async Task EndAsync()
        {
            await connection.RefuseAsync();
            Interlocked.Decrement(ref _refusing);
        }
    }

    /// <summary>Makes room for a new connection by closing the one that has been idle for longest, if for long enough.</summary>
    private bool Evict()
    {
        var now = server.Runtime.Time.GetTimestamp();
        var idlest = connections.Snapshot().MaxBy(connection => connection.IdleFor(now));
        if (idlest is null || idlest.IdleFor(now) < server.Options.EvictIdleAfter)
        {
            return false;
        }

        // At once, since an orderly end would take a descriptor for as long as the peer likes; nothing is unread or unsent.
        idlest.Evict();
        connections.Remove(idlest);
        return true;
    }

    private async Task CutAsync(ConnectionContext transport)
    {
        try
        {
            transport.Abort(new ConnectionAbortedException("it could not be taken in"));
            await transport.DisposeAsync();
        }
        catch (Exception failure)
        {
            NetworkMessages.NotTakenIn(server.Logger, transport.RemoteEndPoint, failure.Message);
        }
    }
}
