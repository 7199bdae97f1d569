using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Millrace.Broker.Apis;
using Millrace.Runtime;

namespace Millrace.Broker.Network;

/// <summary>
/// Accepts connections from any transport (sockets, TLS later, the simulator's pipes) and serves the API table on them.
/// Lifecycle: <see cref="Serve"/> for each listener, <see cref="DrainAsync"/> once.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class NetworkServer : IAsyncDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AcceptRetry = TimeSpan.FromMilliseconds(100);
    private readonly Lock _lock = new();
    private readonly List<IConnectionListener> _listeners = [];
    private readonly List<Task> _accepting = [];
    private readonly ConnectionTable _connections;
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _accepted;
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
        _draining.Dispose();
        _stopped.Dispose();
    }

    private async Task AcceptAsync(IConnectionListener listener, ListenerName name)
    {
        while (true)
        {
            ConnectionContext? transport;
            try
            {
                transport = await listener.AcceptAsync();
            }
            catch (Exception failure) when (failure is IOException or System.Net.Sockets.SocketException)
            {
                // Out of file descriptors, mostly: connections that end make room.
                NetworkLog.AcceptFailed(Log, failure);
                await Task.Delay(AcceptRetry, Runtime.Time, Runtime.Stopping);
                continue;
            }

            if (transport is null)
            {
                return;
            }

            var connection = new BrokerConnection(this, transport, name, ++_accepted);
            if (TakeIn(connection) is { } bound)
            {
                Metrics.ConnectionRefused();
                NetworkLog.TooMany(Log, transport.RemoteEndPoint, bound);
                await connection.RefuseAsync(bound);
                continue;
            }

            NetworkLog.Accepted(Log, connection.Client.Id, transport.RemoteEndPoint);
            _ = ServeAsync(connection);
        }
    }

    private string? TakeIn(BrokerConnection connection)
    {
        var bound = _connections.TryAdd(connection);
        if (bound is not null && Evict())
        {
            bound = _connections.TryAdd(connection);
        }

        return bound;
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

        idlest.Abort("idle, and its place is needed");
        _connections.Remove(idlest);
        return true;
    }

    private async Task ServeAsync(BrokerConnection connection)
    {
        await Task.Factory.StartNew(connection.RunAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Runtime.Scheduler).Unwrap();
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
                if (connection.Misbehaviour(now) is { } reason)
                {
                    connection.Abort(reason);
                }
            }
        }
    }
}
