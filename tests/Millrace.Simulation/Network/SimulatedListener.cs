using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>A port of a node; clients reach it as long as the lane that bound it lives.</summary>
internal sealed class SimulatedListener(Lane server) : IConnectionListenerFactory, IConnectionListener
{
    private readonly Channel<SimulatedConnection> _arriving = Channel.CreateUnbounded<SimulatedConnection>();
    private readonly List<SimulatedConnection> _open = [];
    private int _connections;
    private bool _bound;

    /// <summary>Connections that were accepted and that the server has not let go: it could still answer them.</summary>
    public int Served { get; private set; }

    public EndPoint EndPoint { get; private set; } = new IPEndPoint(IPAddress.Loopback, 9092);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        (EndPoint, _bound) = (endpoint, true);
        return ValueTask.FromResult<IConnectionListener>(this);
    }

    /// <summary>Connects, or returns null if nobody listens.</summary>
    public SimulatedConnection? TryConnect(Lane client)
    {
        if (!_bound || server.Dead)
        {
            return null;
        }

        var connection = new SimulatedConnection(client, server, $"{server.Name}-{_connections++}");
        if (!_arriving.Writer.TryWrite(connection))
        {
            return null;
        }

        _open.Add(connection);
        return connection;
    }

    /// <summary>The process is gone, and its machine is not: whoever is connected finds it cut.</summary>
    public void ProcessGone() => _open.ForEach(connection => connection.Cut());

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        if (!await _arriving.Reader.WaitToReadAsync(cancellationToken) || !_arriving.Reader.TryRead(out var connection))
        {
            return null;
        }

        Served++;
        connection.LetGo = () =>
        {
            Served--;
            _open.Remove(connection);
        };
        return connection;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _bound = false;
        _arriving.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => UnbindAsync();
}
