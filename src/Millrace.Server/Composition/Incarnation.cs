using Millrace.Broker;
using Millrace.Controller.Clients;
using Millrace.Metadata.Image;
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
/// One life of a node, between registering and being fenced or leaving: a WAL, the streams and the broker over it. The controller is none of it, even
/// where it lives in the same process. Made by <see cref="IncarnationStart"/>, replaced by <see cref="Incarnations"/>.
/// </summary>
/// <remarks>
/// Ends either by <see cref="StopAsync"/> (clean: everything acknowledged is in the store, the WAL is empty) or only by <see cref="DisposeAsync"/>
/// (as a crash leaves it: the next incarnation recovers the WAL). When that returns, connections, files and memory have been given back, and nothing
/// of it runs: it acknowledges nothing, and answers nobody.
/// </remarks>
internal sealed class Incarnation : IAsyncDisposable
{
    // Of the time that a stop has: what is left to do then, without anybody to hand over to, is as much as it ever was.
    private const int EvacuationPart = 4;

    private readonly NodeRuntime _life;
    private readonly NodeOptions _options;
    private readonly IncarnationParts _parts;
    private readonly ILogger _logger;
    private bool _disposed;

    /// <param name="life">Its own part of the process' surroundings.</param>
    /// <param name="options">The settings.</param>
    /// <param name="parts">All that it has made for itself, its part of the surroundings first: it disposes of them.</param>
    internal Incarnation(NodeRuntime life, NodeOptions options, IncarnationParts parts) =>
        (_life, _options, _parts, _logger) = (life, options, parts, life.Loggers.CreateLogger<Incarnation>());

    /// <summary>What it is registered as.</summary>
    public required NodeIncarnation Self { get; init; }

    /// <summary>The cluster, as the process knows it.</summary>
    public required IMetadataFeed Metadata { get; init; }

    public required NodeRegistry Nodes { get; init; }

    public required NodeWals Wals { get; init; }

    public required StreamStore Streams { get; init; }

    public required KafkaBroker Broker { get; init; }

    /// <summary>
    /// Looks for what ends it, and waits until it can go on no longer: it is fenced, its WAL is lost to it, or it contradicts itself. Call once, when it
    /// serves.
    /// </summary>
    /// <returns>The reason.</returns>
    public Task<Exception> WaitUntilOverAsync()
    {
        _ = _life.Spawn("streams-watch", async token => _life.Fail(await Streams.Lost.OrCancelled(token)));
        _ = _life.Spawn("registration-watch", async token =>
        {
            await Metadata.WaitAsync(IsFenced, token);
            _life.Fail(new StreamException(StreamError.Fenced, $"Node {Self.Node}, epoch {Self.Epoch}, was fenced in the metadata"));
        });
        return _life.Failed;
    }

    /// <summary>
    /// Leaves in good order: hands over what it leads, answers what is under way, uploads what is acknowledged, closes every stream, and says so in the
    /// metadata. Bounded in time; what could not be uploaded stays in the WAL.
    /// </summary>
    /// <returns>Whether the stop was clean.</returns>
    public async Task<bool> StopAsync()
    {
        using var limit = new CancellationTokenSource(_options.StopLimit, _life.Time);
        // One that is over meanwhile, since its controller was deposed perhaps, has nobody to wait for.
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _life.Stopping);
        try
        {
            await EvacuateAsync(ends.Token);
            await Broker.StopAsync(_options.ShutdownGrace, ends.Token);
            await Streams.CloseAsync(ends.Token);
            await Nodes.LeaveAsync(Self, Streams, ends.Token);
            foreach (var wal in Wals.All)
            {
                await wal.RetireAsync(ends.Token);
                await Nodes.ForgetWalsAsync(Self, [wal.Descriptor.Id], ends.Token);
            }

            ServerMessages.Stopped(_logger);
            return true;
        }
        catch (Exception failure) when (failure is OperationCanceledException or StreamException or IOException
            or WalUnavailableException or ObjectLogException or ObjectStorageException)
        {
            SayWhatStays(_life.Failed.IsCompleted ? (await _life.Failed).Message
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

    /// <summary>Gives everything back. Should a part fail of that, the others go all the same, and the failure is thrown then.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            _life.Stop();
            await _parts.DisposeAsync();
        }
    }

    /// <summary>
    /// Hands over to others what is led here, while clients are still served. What is not done in a part of the time is closed as if there were nobody else.
    /// </summary>
    private async Task EvacuateAsync(CancellationToken token)
    {
        using var limit = new CancellationTokenSource(_options.StopLimit / EvacuationPart, _life.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, token);
        try
        {
            await Nodes.EvacuateAsync(Self, either.Token);
            await Metadata.WaitAsync(
                image => IsFenced(image)
                    || !image.Topics.Values.Any(topic => topic.Partitions.Exists(partition => partition.Moves && partition.Leader == Self.Node)),
                either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            // There is time left for the rest.
        }
        catch (StreamException refused) when (refused.Error != StreamError.Fenced)
        {
            // What is closed is led by others all the same, a little later.
            ServerMessages.NotEvacuated(_logger, refused.Message);
        }
    }

    // One that leaves is no more fenced than one that is live.
    private bool IsFenced(MetadataImage image) =>
        !(image.Nodes.TryGetValue(Self.Node, out var known) && known.Epoch == Self.Epoch && known.State != NodeState.Fenced);

    // Nothing is lost by what stays: the next start recovers the WAL. Unless that ends with the process, as its operator has chosen.
    private void SayWhatStays(string reason)
    {
        var (streams, bytes) = (Streams.NotUploadedStreams, Streams.NotUploadedBytes);
        if (Wals.All.Any(wal => wal.Descriptor.Kind == WalKind.Memory))
        {
            ServerMessages.StoppedWithLoss(_logger, streams, bytes, reason);
        }
        else
        {
            ServerMessages.StoppedDirty(_logger, streams, bytes, string.Join(", ", Wals.All.Select(wal => wal.Descriptor.Location)), reason);
        }
    }
}
