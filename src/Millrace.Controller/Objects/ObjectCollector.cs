using Microsoft.Extensions.Logging;
using Millrace.Controller.State;
using Millrace.Metadata.Channel;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Streams.Objects;

namespace Millrace.Controller.Objects;

/// <summary>
/// Deletes what no stream needs: first an entry in the log says so, then, after a while, the object goes. And looks through
/// the store for what the log does not know.
/// </summary>
internal sealed class ObjectCollector(NodeRuntime runtime, IObjectStorage storage, ClusterController controller, ClusterControllerOptions options)
    : IAsyncDisposable
{
    private const int Batch = 1_000;

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<ObjectCollector>();
    private readonly ObjectAges _prepared = new(runtime);
    private readonly ObjectAges _deleting = new(runtime);
    private readonly CancellationTokenSource _closing = CancellationTokenSource.CreateLinkedTokenSource(runtime.Stopping);
    private Task _loop = Task.CompletedTask;

    public void Start() => _loop = runtime.Spawn("object-collector", _ => RunAsync(_closing.Token));

    public async ValueTask DisposeAsync()
    {
        _closing.Cancel();
        await _loop;
        _closing.Dispose();
    }

    /// <summary>One round: decides what goes, and deletes what was decided long enough ago.</summary>
    public async ValueTask CollectAsync(CancellationToken token)
    {
        var objects = controller.State.Streams.Objects;
        var expired = _prepared.OlderThan(objects.Prepared, options.PrepareDeadline).ToHashSet();
        await controller.SubmitAsync(entry => ObjectOperations.BeginDeletion(entry, expired, Batch), token);
        foreach (var due in _deleting.OlderThan(controller.State.Streams.Objects.Deleting, options.DeletionDelay).Chunk(Batch))
        {
            await storage.DeleteAsync([.. due.Select(DataObjectKey.Of)], token);
            await controller.SubmitAsync(entry => ObjectOperations.EndDeletion(entry, due), token);
            ControllerMessages.ObjectsDeleted(_logger, due.Length);
        }
    }

    /// <summary>
    /// Lists the store for objects and unfinished uploads that the log has closed: a paused writer may have put them there after the
    /// deletion. An id stands in the log from before its first byte until after its last, so what does not stand there is nobody's.
    /// </summary>
    public async ValueTask SweepAsync(CancellationToken token)
    {
        var leaks = 0;
        await foreach (var page in storage.ListPagesAsync(DataObjectKey.Prefix, token))
        {
            // After the list: every id in the list had been handed out before it.
            var streams = controller.State.Streams;
            string[] unknown = [.. page.Select(found => found.Key).Where(key => IsLeak(streams, key))];
            await storage.DeleteAsync(unknown, token);
            leaks += unknown.Length;
        }

        foreach (var upload in await storage.ListUnfinishedUploadsAsync(DataObjectKey.Prefix, token))
        {
            if (DataObjectKey.Parse(upload.Key) is { } id && controller.State.Streams.Objects.Find(id)?.Phase != ObjectPhase.Prepared)
            {
                await storage.AbortUploadAsync(upload, token);
                leaks++;
            }
        }

        if (leaks > 0)
        {
            ControllerMessages.LeaksDeleted(_logger, leaks);
        }
    }

    // An id beyond the counter was handed out by a controller that has deposed this one: not ours to judge.
    private static bool IsLeak(StreamImage streams, string key) =>
        DataObjectKey.Parse(key) is { } id && id.Value < streams.NextObjectId && streams.Objects.Find(id) is null;

    private async Task RunAsync(CancellationToken closing)
    {
        var sweptAt = runtime.Time.GetTimestamp();
        while (!closing.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.CollectionInterval, runtime.Time, closing);
                await CollectAsync(closing);
                if (runtime.Time.GetElapsedTime(sweptAt) >= options.SweepInterval)
                {
                    await SweepAsync(closing);
                    sweptAt = runtime.Time.GetTimestamp();
                }
            }
            catch (ObjectStorageException failure)
            {
                ControllerMessages.StorageFailed(_logger, "deleting objects", failure.Message);
            }
            catch (ControllerException full) when (full.Error == ControllerError.Busy)
            {
                // Too many requests wait for the log. Nothing waits for this one.
                ControllerMessages.StorageFailed(_logger, "deleting objects", full.Message);
            }
            catch (ControllerException lost) when (lost.Error == ControllerError.ControllerLost)
            {
                // The controller has ended, and says why itself.
                return;
            }
            catch (OperationCanceledException) when (closing.IsCancellationRequested)
            {
                return;
            }
        }
    }
}
