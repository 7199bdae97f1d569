using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Millrace.Network.Requests;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Network.Serving;

/// <summary>
/// Accepts connections from any transport (sockets, TLS later, the simulator's pipes) and serves their requests.
/// Lifecycle: <see cref="Serve"/> for each listener, <see cref="DrainAsync"/> once.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class NetworkServer : IAsyncDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly List<IConnectionListener> _listeners = [];
    private readonly List<Task> _accepting = [];
    private readonly ConnectionTable _connections;
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AcceptLoop _accept;
    private bool _sweeping;

    /// <param name="runtime">The node's.</param>
    /// <param name="options">Bounds what peers can do.</param>
    /// <param name="requests">Makes calls of requests.</param>
    /// <param name="buffers">Memory for requests.</param>
    /// <param name="meter">The name of the meter by which this server is measured.</param>
    public NetworkServer(NodeRuntime runtime, NetworkOptions options, RequestPipeline requests, BufferPool buffers, string meter)
    {
        Runtime = runtime;
        Options = options;
        Requests = requests;
        Buffers = buffers;
        Budgets = new RequestBudgets(options);
        Logger = runtime.Loggers.CreateLogger<NetworkServer>();
        _connections = new ConnectionTable(options);
        _accept = new AcceptLoop(this, _connections);
        Metrics = new NetworkMetrics(meter, requests.Apis, () => _connections.Count, Budgets);
        Draining = _draining.Token;
        Stopped = _stopped.Token;
    }

    public NodeRuntime Runtime { get; }

    public NetworkOptions Options { get; }

    public RequestPipeline Requests { get; }

    public BufferPool Buffers { get; }

    /// <summary>Bound the bytes of all requests under way.</summary>
    public RequestBudgets Budgets { get; }

    public ILogger Logger { get; }

    public NetworkMetrics Metrics { get; }

    /// <summary>No more requests are read, and long polls end.</summary>
    public CancellationToken Draining { get; }

    /// <summary>The time to drain is over: calls that outlive their connections end too.</summary>
    public CancellationToken Stopped { get; }

    public int ConnectionCount => _connections.Count;

    /// <summary>Begins to accept from a bound listener, which this owns from now on.</summary>
    public void Serve(IConnectionListener listener, ListenerName name)
    {
        NetworkMessages.Listening(Logger, listener.EndPoint, name.Value);
        lock (_lock)
        {
            _listeners.Add(listener);
            _accepting.Add(Runtime.Spawn($"listener {name}", _ => _accept.RunAsync(listener, name)));
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

        NetworkMessages.Draining(Logger, _connections.Count);
        foreach (var listener in listeners)
        {
            await listener.UnbindAsync();
        }

        _accept.Unbound();
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
            NetworkMessages.Cut(Logger, left.Length);
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
        _accept.Dispose();
        _draining.Dispose();
        _stopped.Dispose();
    }

    /// <summary>Serves a connection that has its place in the table, and gives that back.</summary>
    internal async Task ServeAsync(BrokerConnection connection)
    {
        try
        {
            await Task.Factory.StartNew(connection.RunAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Runtime.Scheduler).Unwrap();
        }
        catch (Exception fault)
        {
            NetworkMessages.Fault(Logger, fault, connection.Client.Id, connection.Client.Remote);
        }
        finally
        {
            // However it ended, and whether or not that can be told: a place that is never given back would keep others out, and a stop waiting
            // for ever.
            _connections.Remove(connection);
            if (Draining.IsCancellationRequested && _connections.Count == 0)
            {
                _empty.TrySetResult();
            }
        }

        NetworkMessages.Ended(Logger, connection.Client.Id, connection.Client.Remote);
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

            _accept.Check();
        }
    }
}
