using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>A port of a machine. Clients connect here; other machines by way of their network.</summary>
/// <param name="server">Of the process that listens: somebody is there as long as it lives.</param>
internal sealed class SimulatedListener(Lane server) : IConnectionListenerFactory, IConnectionListener
{
    private readonly Channel<ConnectionEnd> _arriving = Channel.CreateUnbounded<ConnectionEnd>();
    private readonly List<SimulatedConnection> _open = [];
    private int _connections;
    private bool _bound;

    /// <summary>Connections that were accepted and that the server has not let go: it could still answer them.</summary>
    public int Served { get; private set; }

    /// <summary>Whether somebody accepts who connects.</summary>
    public bool IsOpen => _bound && !server.Dead;

    public Lane Server => server;

    public EndPoint EndPoint { get; private set; } = new IPEndPoint(IPAddress.Loopback, 9092);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        (EndPoint, _bound) = (endpoint, true);
        return ValueTask.FromResult<IConnectionListener>(this);
    }

    /// <summary>Connects a client, or returns null if nobody listens.</summary>
    public SimulatedConnection? TryConnect(Lane client)
    {
        if (!IsOpen)
        {
            return null;
        }

        var connection = new SimulatedConnection(client, server, $"{server.Name}-{_connections++}");
        _open.Add(connection);
        Arrives(connection);
        return connection;
    }

    /// <summary>Somebody has connected.</summary>
    public void Arrives(ConnectionEnd connection) => _arriving.Writer.TryWrite(connection);

    /// <summary>The process is gone, and its machine is not: clients that are connected find it cut.</summary>
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
            _open.RemoveAll(open => open == connection);
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
