using System.Net;
using Millrace.Broker;
using Millrace.Controller;
using Millrace.Controller.Clients;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Server.Options;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Wal;

namespace Millrace.Server.Composition;

/// <summary>
/// One running node: controller, stream store and broker over an object store and a WAL. Made by <see cref="NodeStart"/>;
/// the simulator runs the same type.
/// </summary>
/// <remarks>
/// Life: <see cref="StartAsync"/>, then either <see cref="StopAsync"/> (clean: everything acknowledged is in the store, the WAL is
/// empty) or only <see cref="DisposeAsync"/> (as a crash leaves it: the next start recovers the WAL).
/// </remarks>
internal sealed class MillraceNode : IAsyncDisposable
{
    private readonly NodeRuntime _runtime;
    private readonly NodeOptions _options;
    private readonly ILogger _logger;
    private bool _disposed;

    internal MillraceNode(NodeRuntime runtime, NodeOptions options) =>
        (_runtime, _options, _logger) = (runtime, options, runtime.Loggers.CreateLogger<MillraceNode>());

    /// <summary>Where Kafka clients connect: with the port that was bound.</summary>
    public required EndPoint Address { get; init; }

    public required NodeIncarnation Incarnation { get; init; }

    public required ClusterController Controller { get; init; }

    public required NodeRegistry Nodes { get; init; }

    public required IWriteAheadLog Wal { get; init; }

    public required StreamStore Streams { get; init; }

    public required KafkaBroker Broker { get; init; }

    /// <summary>Starts a node, up to where it serves clients.</summary>
    /// <exception cref="NodeStartException">It cannot start as things are; says what can be done.</exception>
    public static Task<MillraceNode> StartAsync(NodeRuntime runtime, NodeOptions options, NodeComponents components, CancellationToken token) =>
        new NodeStart(runtime, options, components).RunAsync(token);

    /// <summary>Completes when the node can go on no longer: its WAL or the metadata log is lost to it, or it contradicts itself.</summary>
    public async Task<Exception> WaitForFailureAsync()
    {
        await Waiting.Either(_runtime.Failed, Wal.Lost);
        return _runtime.Failed.IsCompleted ? await _runtime.Failed : await Wal.Lost;
    }

    /// <summary>
    /// Leaves in good order: answers what is under way, uploads what is acknowledged, closes every stream, and says so in the
    /// metadata. Bounded in time; what could not be uploaded stays in the WAL.
    /// </summary>
    /// <returns>Whether the stop was clean.</returns>
    public async Task<bool> StopAsync()
    {
        Log.Stopping(_logger);
        using var limit = new CancellationTokenSource(_options.StopLimit, _runtime.Time);
        // A node that fails meanwhile, since its controller was deposed perhaps, has nobody to wait for.
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _runtime.Stopping);
        try
        {
            await Broker.StopAsync(_options.ShutdownGrace, ends.Token);
            await Streams.CloseAsync(ends.Token);
            await Nodes.LeaveAsync(Incarnation, ends.Token);
            await Wal.RetireAsync(ends.Token);
            await Nodes.ForgetWalsAsync(Incarnation, [Wal.Descriptor.Id], ends.Token);
            Log.Stopped(_logger);
            return true;
        }
        catch (Exception failure) when (failure is OperationCanceledException or StreamException or IOException
            or WalUnavailableException or ObjectLogException or ObjectStorageException)
        {
            SayWhatStays(_runtime.Failed.IsCompleted ? (await _runtime.Failed).Message
                : failure is OperationCanceledException
                ? $"Not everything was uploaded within {_options.StopLimit.TotalSeconds:0.###} s ({ServerSettings.StopLimit})."
                : failure.Message);
            return false;
        }
        finally
        {
            await DisposeAsync();
        }
    }

    // Nothing is lost by what stays: the next start recovers the WAL. Unless that ends with the process, as its operator has chosen.
    private void SayWhatStays(string reason)
    {
        var (streams, bytes) = (Streams.NotUploadedStreams, Streams.NotUploadedBytes);
        if (Wal.Descriptor.Kind == WalKind.Memory)
        {
            Log.StoppedWithLoss(_logger, streams, bytes, reason);
        }
        else
        {
            Log.StoppedDirty(_logger, streams, bytes, Wal.Descriptor.Location, reason);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await Broker.DisposeAsync();
        await Streams.DisposeAsync();
        await Wal.DisposeAsync();
        await Controller.DisposeAsync();
    }
}
