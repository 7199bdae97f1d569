using System.Net;
using Microsoft.AspNetCore.Connections;
using Millrace.Cluster.Membership;
using Millrace.Controller.Log;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Server.Options;

namespace Millrace.Server.Composition;

/// <summary>
/// A node for as long as its process lives: its listening sockets, its place in the cluster, and one incarnation after another (<see cref="Incarnations"/>).
/// The simulator runs the same type.
/// </summary>
/// <remarks>
/// Life: <see cref="StartAsync"/>, then either <see cref="StopAsync"/> or only <see cref="DisposeAsync"/> (as a crash leaves it), also between two
/// incarnations. Threading: any thread; both once.
/// </remarks>
internal sealed class NodeHost : IAsyncDisposable
{
    private readonly NodeRuntime _runtime;
    private readonly NodeOptions _options;
    private readonly NodeComponents _components;
    private readonly INodeObserver _observer;
    private readonly ILogger _logger;
    private readonly HostListeners _listeners;
    private readonly CancellationTokenSource _stop = new();
    private ClusterMember? _member;
    private Incarnations? _incarnations;
    private Task _living = Task.CompletedTask;
    private bool _disposed;

    private NodeHost(NodeRuntime runtime, NodeOptions options, NodeComponents components, INodeObserver observer)
    {
        (_runtime, _options, _components, _observer) = (runtime, options, components, observer);
        _logger = runtime.Loggers.CreateLogger<NodeHost>();
        _listeners = new HostListeners(options.Listeners, components.Transport);
    }

    /// <summary>Where Kafka clients connect: with the port that was bound.</summary>
    public EndPoint Address => _listeners.Bound[0].EndPoint;

    /// <summary>The same in words, for whoever started the process.</summary>
    public string AddressInWords => _listeners.Bound[0].Address;

    /// <summary>This process' place in its cluster. To be asked when the node has started.</summary>
    public ClusterMember Member => _member!;

    /// <summary>The incarnation that serves; null while there is none.</summary>
    public Incarnation? Current => _incarnations?.Current;

    /// <summary>Starts a node, up to where its first incarnation serves clients.</summary>
    /// <exception cref="NodeStartException">It cannot start as things are; says what can be done.</exception>
    public static async Task<NodeHost> StartAsync(
        NodeRuntime runtime, NodeOptions options, NodeComponents components, INodeObserver observer, CancellationToken token)
    {
        var host = new NodeHost(runtime, options, components, observer);
        try
        {
            await host.StartFirstAsync(token);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Completes when the node can go on no longer, with the reason.</summary>
    public async Task<Exception> WaitForFailureAsync()
    {
        var failed = _incarnations!.Failed;
        await Waiting.Either(_runtime.Failed, failed);
        return failed.IsCompleted ? await failed : await _runtime.Failed;
    }

    /// <summary>Leaves in good order (<see cref="Incarnation.StopAsync"/>). Between two incarnations there is nothing to do but to end.</summary>
    /// <returns>Whether the stop was clean: nothing is left in a WAL.</returns>
    public async Task<bool> StopAsync()
    {
        ServerMessages.Stopping(_logger);
        _stop.Cancel();
        await _living;
        await _listeners.UnbindAsync();
        var isClean = false;
        if (Current is { } current)
        {
            isClean = await current.StopAsync();
        }
        else
        {
            ServerMessages.StoppedBetween(_logger);
        }

        await DisposeAsync();
        return isClean;
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _stop.Cancel();
        try
        {
            await _living;
            if (Current is { } current)
            {
                await current.DisposeAsync();
            }
        }
        finally
        {
            if (_member is not null)
            {
                await _member.DisposeAsync();
            }

            await _listeners.DisposeAsync();
            _stop.Dispose();
        }
    }

    private async Task StartFirstAsync(CancellationToken token)
    {
        ServerMessages.Starting(_logger, ProductVersion.Full, _options.Store, string.Join(", ", _options.Wals), _options.Settings.Changed());
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            ServerMessages.AllSettings(_logger, _options.Settings.All());
        }

        foreach (var remark in _options.Settings.Remarks)
        {
            ServerMessages.AboutSettings(_logger, remark.Level, remark.Text);
        }

        if (_options.Listeners.NotOpened.Count > 0)
        {
            ServerMessages.ListenersNotOpened(_logger, string.Join(", ", _options.Listeners.NotOpened));
        }

        var started = _runtime.Time.GetTimestamp();
        _member = await JoinAsync(token);
        var incarnations = _incarnations = new Incarnations(_runtime, _options, _components, _listeners, _member, _observer, _logger);
        _ = _runtime.Spawn("member-watch", async stopping => incarnations.Fail(await _member.Failed.OrCancelled(stopping)));
        await incarnations.BeginFirstAsync(token);
        ServerMessages.Ready(_logger, AddressInWords, (long)_runtime.Time.GetElapsedTime(started).TotalMilliseconds);
        var stop = _stop.Token;
        _living = _runtime.Spawn("incarnations", _ => incarnations.LiveAsync(stop));
    }

    /// <summary>Joins the cluster in the bucket, or forms it there, if the bucket is ours to use.</summary>
    private async Task<ClusterMember> JoinAsync(CancellationToken token)
    {
        var mark = new BucketMark(_runtime, _components.Storage, _options.StoreWait);
        await mark.CheckAsync(token);
        var options = _options.Cluster with { Controller = _options.Cluster.Controller with { ScalerHook = _components.ScalerHook } };
        // What is damaged, or a newer program's, is refused before anything is changed.
        var life = _runtime.NewPart();
        var storage = new AwaitedObjectStorage(life, _components.Storage);
        MetadataLog? log = null;
        IConnectionListener listener;
        PeerAddress address;
        try
        {
            log = await MetadataLog.OpenAsync(life, storage, options.Log, token);

            // Nothing has been written so far.
            await StorageProbe.CheckAsync(_runtime, _components.Storage, _options.StoreWait, token);
            await mark.SetAsync(token);
            await _listeners.BindAsync(token);
            (listener, address) = await _listeners.BindInternalAsync(_components.PeerListeners, token);
        }
        catch
        {
            life.Stop();
            if (log is not null)
            {
                await log.DisposeAsync();
            }

            await life.DisposeAsync();
            throw;
        }

        return await ClusterMember.JoinAsync(life, storage, log, _components.Buffers, listener, _components.Peers, address, options, token);
    }
}
