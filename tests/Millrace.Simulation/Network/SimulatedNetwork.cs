using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Network;

/// <summary>
/// The network between the nodes of a cluster: delays what passes, swallows it one way or both for a while, and cuts connections. What is swallowed is
/// sent again, as by TCP, so that it arrives when the way is free again, if anybody still waits for it.
/// </summary>
public sealed class SimulatedNetwork(SimulationKernel kernel)
{
    private static readonly TimeSpan LongestLatency = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestLoss = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(1);
    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());
    private readonly SortedDictionary<(string Host, int Port), SimulatedListener> _listeners = [];
    private readonly SortedDictionary<(string From, string To), TimeSpan> _swallowedUntil = [];
    private readonly List<NodeConnection> _connections = [];
    private int _nextPort = 30_000;

    /// <summary>Connects from a machine's lane to others.</summary>
    public IConnectionFactory From(string host, Lane lane) => new Factory(this, host, lane);

    /// <summary>Binds ports of a machine.</summary>
    public IConnectionListenerFactory At(string host, Lane lane) => new Ports(this, host, lane);

    /// <summary>From now on nothing passes from one machine to another, for so long.</summary>
    public void Swallow(string from, string to, TimeSpan duration)
    {
        kernel.Trace.Note($"nothing passes from {from} to {to} for {duration.TotalMilliseconds:F0} ms");
        _swallowedUntil[(from, to)] = kernel.Now + duration;
    }

    /// <summary>Every way is free.</summary>
    public void Heal() => _swallowedUntil.Clear();

    /// <summary>Cuts the connections between two machines; they can be made anew.</summary>
    public void Reset(string one, string other)
    {
        foreach (var connection in _connections.Where(connection => connection.IsBetween(one, other)).ToList())
        {
            connection.Reset();
        }
    }

    /// <summary>A process is gone: its machine closes its ports, and its connections.</summary>
    public void ProcessGone(Lane lane)
    {
        foreach (var gone in _listeners.Where(listener => listener.Value.Server == lane).Select(listener => listener.Key).ToList())
        {
            _listeners.Remove(gone);
        }

        foreach (var connection in _connections.Where(connection => connection.Touches(lane)).ToList())
        {
            connection.Reset();
        }
    }

    /// <summary>
    /// A whole machine has lost its power: it refuses who comes when it is there again, and who was connected hears nothing of it for seconds.
    /// </summary>
    public void MachineLost(Lane lane) => kernel.At(kernel.Now + LongestLoss * _random.NextDouble(), kernel.World, () => ProcessGone(lane));

    /// <summary>Completes when something that was sent arrives. On the world's lane.</summary>
    internal async Task PassAsync(string from, string to)
    {
        await kernel.Delay(_random.Between(TimeSpan.Zero, LongestLatency));
        while (_swallowedUntil.TryGetValue((from, to), out var until) && until > kernel.Now)
        {
            // Delays are cut to whole milliseconds, and one of none would never end.
            var left = until - kernel.Now + TimeSpan.FromMilliseconds(1);
            await kernel.Delay(left < LongestLook ? left : LongestLook);
        }
    }

    internal void Ended(NodeConnection connection) => _connections.Remove(connection);

    private ValueTask<IConnectionListener> BindAsync(string host, Lane lane, IPEndPoint wanted)
    {
        var port = wanted.Port == 0 ? _nextPort++ : wanted.Port;
        if (_listeners.TryGetValue((host, port), out var other) && other.IsOpen)
        {
            throw new AddressInUseException($"{host}:{port} is in use");
        }

        var listener = _listeners[(host, port)] = new SimulatedListener(lane);
        return listener.BindAsync(new IPEndPoint(wanted.Address, port));
    }

    // On the world's lane: a way that is not free is waited for.
    private async Task<NodeConnection> ConnectAsync(string from, Lane client, string to, int port)
    {
        await PassAsync(from, to);
        if (!_listeners.TryGetValue((to, port), out var listener) || !listener.IsOpen)
        {
            await PassAsync(to, from);
            throw new SocketException((int)SocketError.ConnectionRefused);
        }

        var connection = new NodeConnection(kernel, this, (from, client), (to, listener.Server));
        _connections.Add(connection);
        listener.Arrives(connection.Server);
        await PassAsync(to, from);
        return connection;
    }

    private sealed class Factory(SimulatedNetwork network, string host, Lane lane) : IConnectionFactory
    {
        public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            var to = (DnsEndPoint)endpoint;
            var connected = new TaskCompletionSource<ConnectionContext>(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = cancellationToken.UnsafeRegister(_ => connected.TrySetCanceled(cancellationToken), null);
            _ = network.Run(async () =>
            {
                try
                {
                    var connection = await network.ConnectAsync(host, lane, to.Host, to.Port);
                    if (!connected.TrySetResult(connection.Client))
                    {
                        connection.Reset();
                    }
                }
                catch (SocketException refused)
                {
                    connected.TrySetException(refused);
                }
            });
            return await connected.Task;
        }
    }

    private sealed class Ports(SimulatedNetwork network, string host, Lane lane) : IConnectionListenerFactory
    {
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
            network.BindAsync(host, lane, (IPEndPoint)endpoint);
    }

    private Task Run(Func<Task> action) => kernel.World.Run(action);
}
