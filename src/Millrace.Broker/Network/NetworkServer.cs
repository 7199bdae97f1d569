using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Millrace.Broker.Apis;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Broker.Network;

/// <summary>
/// Accepts connections from any transport (sockets, TLS later, the simulator's pipes) and serves the API table on them.
/// Lifecycle: <see cref="Serve"/> for each listener, <see cref="DrainAsync"/> once.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class NetworkServer : IAsyncDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    /// <summary>Where no connection ends, how often is looked for one that has become idle for long enough.</summary>
    private static readonly TimeSpan EvictInterval = TimeSpan.FromSeconds(1);

    /// <summary>Refused connections that may take a descriptor for a moment, on top of those that are served.</summary>
    private const int MostRefusedAtOnce = 16;

    private readonly Lock _lock = new();
    private readonly List<IConnectionListener> _listeners = [];
    private readonly List<Task> _accepting = [];
    private readonly ConnectionTable _connections;
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _unbound = new();
    private readonly Shortage _full;
    private long _accepted;
    private int _refusing;
    private bool _sweeping;

    public NetworkServer(NodeRuntime runtime, NetworkOptions options, ApiTable apis, BufferPool buffers)
    {
        Runtime = runtime;
        Options = options;
        Apis = apis;
        Buffers = buffers;
        Budgets = new RequestBudgets(options);
        Log = runtime.Loggers.CreateLogger<NetworkServer>();
        _connections = new ConnectionTable(options);
        _full = new Shortage(runtime.Time);
        Metrics = new NetworkMetrics(() => _connections.Count, Budgets);
        Draining = _draining.Token;
        Stopped = _stopped.Token;
    }

    public NodeRuntime Runtime { get; }

    public NetworkOptions Options { get; }

    public ApiTable Apis { get; }

    public BufferPool Buffers { get; }

    /// <summary>Bound the bytes of all requests under way.</summary>
    public RequestBudgets Budgets { get; }

    public ILogger Log { get; }

    public NetworkMetrics Metrics { get; }

    /// <summary>No more requests are read, and long polls end.</summary>
    public CancellationToken Draining { get; }

    /// <summary>The time to drain is over: calls that outlive their connections end too.</summary>
    public CancellationToken Stopped { get; }

    public int ConnectionCount => _connections.Count;

    /// <summary>Begins to accept from a bound listener, which this owns from now on.</summary>
    public void Serve(IConnectionListener listener, ListenerName name)
    {
        NetworkLog.Listening(Log, listener.EndPoint, name.Value);
        lock (_lock)
        {
            _listeners.Add(listener);
            _accepting.Add(Runtime.Spawn($"listener {name}", _ => AcceptAsync(listener, name)));
            if (!_sweeping)
            {
                _sweeping = true;
                _ = Runtime.Spawn("connection-sweep", SweepAsync);
            }
        }
    }

    /// <summary>Stops accepting and reading, lets calls under way end and their answers leave, and cuts what is left after a time.</summary>
    public async ValueTask DrainAsync(TimeSpan grace)
    {
        IConnectionListener[] listeners;
        Task[] accepting;
        lock (_lock)
        {
            (listeners, accepting) = ([.. _listeners], [.. _accepting]);
            _listeners.Clear();
            _accepting.Clear();
        }

        NetworkLog.Draining(Log, _connections.Count);
        foreach (var listener in listeners)
        {
            await listener.UnbindAsync();
        }

        _unbound.Cancel();
        await Task.WhenAll(accepting);
        _draining.Cancel();
        if (_connections.Count == 0)
        {
            _empty.TrySetResult();
        }

        using var patience = new CancellationTokenSource(grace, Runtime.Time);
        try
        {
            await _empty.Task.OrCancelled(patience.Token);
        }
        catch (OperationCanceledException)
        {
            var left = _connections.Snapshot();
            NetworkLog.Cut(Log, left.Length);
            _stopped.Cancel();
            foreach (var connection in left)
            {
                connection.Abort("the server stops");
            }

            await _empty.Task;
        }

        foreach (var listener in listeners)
        {
            await listener.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!Draining.IsCancellationRequested)
        {
            await DrainAsync(TimeSpan.Zero);
        }

        Metrics.Dispose();
        _unbound.Dispose();
        _draining.Dispose();
        _stopped.Dispose();
    }

    private async Task AcceptAsync(IConnectionListener listener, ListenerName name)
    {
        while (await listener.AcceptAsync() is { } transport)
        {
            var connection = new BrokerConnection(this, transport, name, ++_accepted);
            switch (await TakeInAsync(connection))
            {
                case ConnectionPlace.Taken:
                    NetworkLog.Accepted(Log, connection.Client.Id, transport.RemoteEndPoint);
                    _ = ServeAsync(connection);
                    break;
                case ConnectionPlace.AddressFull:
                    await RefuseAsync(connection);
                    break;
                case ConnectionPlace.Full:
                    await connection.RefuseAsync();
                    break;
            }
        }
    }

    /// <summary>Finds a place for a new connection. While there is none it waits, and those behind it in the listener's backlog.</summary>
    /// <returns><see cref="ConnectionPlace.Full"/> only when the server has stopped to accept meanwhile.</returns>
    private async ValueTask<ConnectionPlace> TakeInAsync(BrokerConnection connection)
    {
        while (true)
        {
            var removal = _connections.NextRemoval;
            var place = _connections.TryAdd(connection);
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
                NetworkLog.Full(Log, Options.MaxConnections, Options.MaxConnectionsSetBy);
            }

            using var over = CancellationTokenSource.CreateLinkedTokenSource(_unbound.Token);
            await Waiting.Either(removal, Task.Delay(EvictInterval, Runtime.Time, over.Token));
            over.Cancel();
        }
    }

    /// <summary>Closes a connection that its address may not have: in order, unless many are just being closed like that.</summary>
    private async ValueTask RefuseAsync(BrokerConnection connection)
    {
        Metrics.ConnectionRefused();
        NetworkLog.TooManyFromAddress(Log, connection.Client.Remote, Options.MaxConnectionsPerAddress);
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
        var now = Runtime.Time.GetTimestamp();
        var idlest = _connections.Snapshot().MaxBy(connection => connection.IdleFor(now));
        if (idlest is null || idlest.IdleFor(now) < Options.EvictIdleAfter)
        {
            return false;
        }

        // At once, since an orderly end would take a descriptor for as long as the peer likes; nothing is unread or unsent.
        idlest.Evict();
        _connections.Remove(idlest);
        return true;
    }

    private async Task ServeAsync(BrokerConnection connection)
    {
        try
        {
            await Task.Factory.StartNew(connection.RunAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Runtime.Scheduler).Unwrap();
        }
        catch (Exception fault)
        {
            NetworkLog.Fault(Log, fault, connection.Client.Id, connection.Client.Remote);
        }

        // However it ended: a place that is never given back would keep others out, and a stop waiting for ever.
        _connections.Remove(connection);
        NetworkLog.Ended(Log, connection.Client.Id, connection.Client.Remote);
        if (Draining.IsCancellationRequested && _connections.Count == 0)
        {
            _empty.TrySetResult();
        }
    }

    private async Task SweepAsync(CancellationToken token)
    {
        while (true)
        {
            await Task.Delay(SweepInterval, Runtime.Time, token);
            var now = Runtime.Time.GetTimestamp();
            foreach (var connection in _connections.Snapshot())
            {
                connection.Check(now);
            }

            if (_full.TryEnd())
            {
                NetworkLog.NotFull(Log, _connections.Count);
            }
        }
    }
}
