using System.Net;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Connections;
using Millrace.Cluster.Membership;
using Millrace.Controller.Log;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Server.Options;
using Millrace.Streams;

namespace Millrace.Server.Composition;

/// <summary>
/// A node for as long as its process lives: its listening sockets, and one <see cref="Incarnation"/> after another. An incarnation that is over is
/// disposed of, and the next one registers in its place; the node fails only of what that would meet again. The simulator runs the same type.
/// </summary>
/// <remarks>
/// Life: <see cref="StartAsync"/>, then either <see cref="StopAsync"/> or only <see cref="DisposeAsync"/> (as a crash leaves it), also between two
/// incarnations. Threading: any thread; both once.
/// </remarks>
internal sealed class NodeHost : IAsyncDisposable
{
    /// <summary>Disposing waits for no client, and for no store: what takes this long never ends.</summary>
    private static readonly TimeSpan DisposalLimit = TimeSpan.FromSeconds(30);

    private readonly NodeRuntime _runtime;
    private readonly NodeOptions _options;
    private readonly NodeComponents _components;
    private readonly INodeObserver _observer;
    private readonly ILogger _logger;
    private readonly HostListeners _listeners;
    private readonly Replacements _replacements;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Incarnation? _current;
    private ClusterMember? _member;
    private Task _living = Task.CompletedTask;
    private bool _disposed;

    private NodeHost(NodeRuntime runtime, NodeOptions options, NodeComponents components, INodeObserver observer)
    {
        (_runtime, _options, _components, _observer) = (runtime, options, components, observer);
        _logger = runtime.Loggers.CreateLogger<NodeHost>();
        _listeners = new HostListeners(options.Listeners, components.Transport);
        _replacements = new Replacements(runtime);
    }

    /// <summary>Where Kafka clients connect: with the port that was bound.</summary>
    public EndPoint Address => _listeners.Bound[0].EndPoint;

    /// <summary>This process' place in its cluster. To be asked when the node has started.</summary>
    public ClusterMember Member => _member!;

    /// <summary>The incarnation that serves; null while there is none.</summary>
    public Incarnation? Current => _current;

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
        await Waiting.Either(_runtime.Failed, _failed.Task);
        return _failed.Task.IsCompleted ? await _failed.Task : await _runtime.Failed;
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
        if (_current is { } current)
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
            if (_current is { } current)
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
        ServerMessages.Starting(_logger, ProductVersion.Full, _options.Store, _options.Wal, _options.Settings.Changed());
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
        _ = _runtime.Spawn("member-watch", async stopping => Fail(await _member.Failed.OrCancelled(stopping)));
        await BeginFirstAsync(token);
        ServerMessages.Ready(_logger, Address, (long)_runtime.Time.GetElapsedTime(started).TotalMilliseconds);
        var stop = _stop.Token;
        _living = _runtime.Spawn("incarnations", _ => LiveAsync(stop));
    }

    /// <summary>Joins the cluster in the bucket, or forms it there, if the bucket is ours to use.</summary>
    private async Task<ClusterMember> JoinAsync(CancellationToken token)
    {
        var mark = new BucketMark(_runtime, _components.Storage, _options.StoreWait);
        await mark.CheckAsync(token);
        var options = _options.Cluster;
        // What is damaged, or a newer program's, is refused before anything is changed.
        var life = _runtime.NewPart();
        MetadataLog? log = null;
        IConnectionListener listener;
        PeerAddress address;
        try
        {
            log = await MetadataLog.OpenAsync(life, _components.Storage, options.Log, token);

            // Nothing has been written so far.
            await StorageProbe.CheckAsync(_runtime, _components.Storage, _options.StoreWait, token);
            await mark.SetAsync(token);
            await _listeners.BindAsync(token);
            (listener, address) = await _listeners.BindInternalAsync(_components.Peers.Listeners, token);
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

        return await ClusterMember.JoinAsync(
            life, _components.Storage, log, _components.Buffers, listener, _components.Peers.Connections, address, options, token);
    }

    /// <summary>Others may take a node for dead that starts slowly: then it comes again, as at any later time.</summary>
    private async Task BeginFirstAsync(CancellationToken token)
    {
        try
        {
            await BeginAsync(_options, isReplacement: false, token);
        }
        catch (StreamException fenced) when (fenced.Error == StreamError.Fenced)
        {
            ServerMessages.NotReplaced(_logger, _replacements.InARow, Replacements.MostInARow, fenced.Message);
            if (!await TryReplaceAsync(fenced, _options, token))
            {
                ExceptionDispatchInfo.Throw(await _failed.Task);
            }
        }
    }

    private async Task BeginAsync(NodeOptions options, bool isReplacement, CancellationToken token)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, _member!.Ended);
        Incarnation incarnation;
        try
        {
            incarnation = await new IncarnationStart(_runtime, options, _components, _listeners, _member, isReplacement).RunAsync(either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested && _member.Failed.IsCompleted)
        {
            ExceptionDispatchInfo.Throw(ClusterMember.CauseOf(await _member.Failed));
            throw;
        }

        _current = incarnation;
        _replacements.Serves();
        _observer.OnServing(incarnation);
    }

    /// <summary>Puts the next incarnation in the place of each that is over, until the node is to stop or has failed.</summary>
    private async Task LiveAsync(CancellationToken stop)
    {
        try
        {
            // The operator has given up what was missing when he started the process, and has not seen what may be missing later.
            var options = _options with { AcceptLoss = [] };
            Exception reason;
            do
            {
                reason = await _current!.WaitUntilOverAsync().OrCancelled(stop);
            }
            while (await TryPutDownAsync(_current!, reason) && await TryReplaceAsync(reason, options, stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Whoever stops the node goes on with what there is.
        }
    }

    private async Task<bool> TryPutDownAsync(Incarnation incarnation, Exception reason)
    {
        ServerMessages.IncarnationOver(_logger, incarnation.Self.Node, incarnation.Self.Epoch, reason.Message);
        _current = null;
        _member!.Registered = null;
        _observer.OnOver(incarnation, reason);
        using var settled = new CancellationTokenSource();
        var disposing = incarnation.DisposeAsync().AsTask();
        await Waiting.Either(disposing, Task.Delay(DisposalLimit, _runtime.Time, settled.Token));
        settled.Cancel();
        if (!disposing.IsCompleted)
        {
            Fail(new TimeoutException(
                $"Node {incarnation.Self.Node}, epoch {incarnation.Self.Epoch}, is over ({reason.Message}), " +
                $"and was not put down within {DisposalLimit.TotalSeconds} s."));
            return false;
        }

        await disposing;
        _observer.OnGone(incarnation);
        return true;
    }

    private async Task<bool> TryReplaceAsync(Exception reason, NodeOptions options, CancellationToken stop)
    {
        var over = _runtime.Time.GetTimestamp();
        while (IncarnationEnd.KindOf(reason) == EndKind.Passing)
        {
            if (_replacements.Next() is not { } pause)
            {
                Fail(new NodeStartException(
                    $"{Replacements.MostInARow} incarnations in a row could not start or were over within a minute, " +
                    $"the last for this reason: {reason.Message}", reason));
                return false;
            }

            await Task.Delay(pause, _runtime.Time, stop);
            try
            {
                await BeginAsync(options, isReplacement: true, stop);
                ServerMessages.Replaced(_logger, _current!.Self.Node, _current.Self.Epoch, (long)_runtime.Time.GetElapsedTime(over).TotalMilliseconds);
                return true;
            }
            catch (Exception failure)
            {
                stop.ThrowIfCancellationRequested();
                ServerMessages.NotReplaced(_logger, _replacements.InARow, Replacements.MostInARow, failure.Message);
                reason = failure;
            }
        }

        Fail(reason);
        return false;
    }

    private void Fail(Exception reason)
    {
        if (IncarnationEnd.KindOf(reason) == EndKind.Fault)
        {
            ServerMessages.Fault(_logger, reason);
        }

        _failed.TrySetResult(reason);
    }
}
