using Microsoft.Extensions.Logging;
using Millrace.Controller.Log;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Cluster.Following;

/// <summary>
/// What this process has of the metadata, and how far: fed by the controller while there is one to follow, else read in the bucket, from the place on to
/// which it is known. The cluster half, and the other one as well while this node is the first that would take the controller's place: a warm standby,
/// for which taking over is a seal and not a load.
/// </summary>
/// <remarks>Its image is what the node's feed publishes. Threading: one call at a time.</remarks>
/// <param name="runtime">Of the process' part in the cluster.</param>
/// <param name="storage">The bucket.</param>
/// <param name="options">Of the log.</param>
/// <param name="feed">Hears of each image.</param>
/// <param name="opened">What was read so far; owned from now on.</param>
/// <param name="looked">Hears, when the bucket's log was read to its end, at which timestamp that began: the feed has the image by then.</param>
internal sealed class MetadataCopy(
    NodeRuntime runtime, IObjectStorage storage, MetadataLogOptions options, MetadataFeed feed, MetadataLog opened, Action<long> looked) : IAsyncDisposable
{
    /// <summary>A bucket that cannot be read for a standby is for the operator to look at, and not for another look soon.</summary>
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMinutes(1);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<MetadataCopy>();
    private MetadataLog? _log = opened;
    private Loading? _loading;

    /// <summary>Whether there is anything that can be gone on with: not after this process was the controller, until the bucket has been read.</summary>
    public bool IsOpen => _log is not null;

    /// <summary>The first place that is not known.</summary>
    public LogPlace Next => Log.Next;

    public bool IsWhole => Log.IsWhole;

    /// <summary>Who owns the term of <see cref="Next"/>; null while nobody ever did.</summary>
    public TermOwner? Owner => Log.Owner is { } seal ? new TermOwner(seal.IncarnationId, seal.Host, seal.Port, Log.Next.Term) : null;

    private MetadataLog Log => _log!;

    /// <summary>Reads in the bucket what is not known yet.</summary>
    public async Task ReadAsync(CancellationToken token)
    {
        var began = runtime.Time.GetTimestamp();
        _log ??= await MetadataLog.OpenClusterAsync(runtime, storage, options, token);
        await _log.ReadToTailAsync(token);
        Publish();
        looked(began);
    }

    /// <summary>Goes on by what the controller tells.</summary>
    /// <exception cref="ProtocolException">It does not follow what is known.</exception>
    public void Feed(LogStep step)
    {
        // Of a place that the bucket told of already there is nothing to learn.
        if (step.Kind != LogStepKind.Tail || step.Place > Next)
        {
            Log.Feed(step);
            Publish();
        }
    }

    /// <summary>Becomes or stays a warm standby, or is none any more. What has to be loaded for it is loaded beside what else goes on.</summary>
    /// <param name="whole">Null leaves it as it is.</param>
    public async ValueTask KeepAsync(bool? whole)
    {
        if (whole == IsWhole || whole is null)
        {
            return;
        }

        if (whole is false)
        {
            await DropLoadingAsync();
            Log.ForgetStreams();
        }
        else if (_loading is null)
        {
            var stop = CancellationTokenSource.CreateLinkedTokenSource(runtime.Stopping);
            _loading = new Loading(LoadAsync(stop.Token), stop, runtime.Time.GetTimestamp());
        }
        else if (_loading.Log.IsCompleted && !await TryTakeLoadedAsync(CancellationToken.None)
            && runtime.Time.GetElapsedTime(_loading.Began) > PauseAfterFailure)
        {
            await DropLoadingAsync();
        }
    }

    /// <summary>The whole log, for one who takes it over; read from its beginning if this was no standby.</summary>
    public async Task<MetadataLog> MakeWholeAsync(CancellationToken token)
    {
        if (!IsWhole && !await TryTakeLoadedAsync(token))
        {
            await TakeAsync(await MetadataLog.OpenAsync(runtime, storage, options, token));
        }

        return Log;
    }

    /// <summary>The log was taken over, or it is not known what became of it: it is read anew, when there is need of it.</summary>
    public async ValueTask LetGoAsync()
    {
        await Log.DisposeAsync();
        _log = null;
    }

    public async ValueTask DisposeAsync()
    {
        await DropLoadingAsync();
        if (_log is not null)
        {
            await _log.DisposeAsync();
        }
    }

    /// <summary>Puts what was loaded for a standby in the place of what was there, waiting for it if it is under way.</summary>
    private async ValueTask<bool> TryTakeLoadedAsync(CancellationToken token)
    {
        if (_loading is null || await _loading.Log.OrCancelled(token) is not { } loaded)
        {
            return false;
        }

        _loading.Stop.Dispose();
        _loading = null;
        await TakeAsync(loaded);
        ClusterMessages.StandsBy(_logger);
        return true;
    }

    private async ValueTask TakeAsync(MetadataLog log)
    {
        await Log.DisposeAsync();
        _log = log;
        Publish();
    }

    private async ValueTask DropLoadingAsync()
    {
        if (_loading is { } dropped)
        {
            _loading = null;
            dropped.Stop.Cancel();
            if (await dropped.Log is { } loaded)
            {
                await loaded.DisposeAsync();
            }

            dropped.Stop.Dispose();
        }
    }

    private async Task<MetadataLog?> LoadAsync(CancellationToken token)
    {
        try
        {
            return await MetadataLog.OpenAsync(runtime, storage, options, token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception failure) when (failure is ObjectStorageException or ObjectLogException or ProtocolException)
        {
            ClusterMessages.CannotStandBy(_logger, failure.Message);
            return null;
        }
    }

    private void Publish()
    {
        var image = Log.Image;
        if (feed.Image.ClusterUuid != Guid.Empty && image.ClusterUuid != feed.Image.ClusterUuid)
        {
            // A bucket that has lost its metadata is no reason to form a new cluster over the data of the old one.
            throw new ObjectLogException(
                ObjectLogError.Missing, $"The metadata of cluster {feed.Image.ClusterId} is gone from the bucket while the cluster lives");
        }

        if (image.Version > feed.Image.Version)
        {
            feed.Publish(image, Log.TakeTouched());
        }
    }

    private sealed record Loading(Task<MetadataLog?> Log, CancellationTokenSource Stop, long Began);
}
