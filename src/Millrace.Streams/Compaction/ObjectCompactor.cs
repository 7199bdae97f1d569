using Microsoft.Extensions.Logging;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;

namespace Millrace.Streams.Compaction;

/// <summary>
/// What an incarnation does when it has time: asks which objects are to be merged, and merges them, so that a stream that trickles does not come to lie in
/// ever more of them.
/// </summary>
/// <remarks>
/// Whose streams these are makes no difference: what is committed does not change, but for where it lies. Nothing is lost by giving up at any point. Memory:
/// that of one object at a time, beside the store's budget. Threading: one loop.
/// </remarks>
/// <param name="runtime">Of the incarnation.</param>
/// <param name="options">Sizes, and how much a second.</param>
/// <param name="target">Where objects go.</param>
/// <param name="registry">Says what is to be merged.</param>
/// <param name="isBusy">Whether there is something better to do.</param>
/// <param name="metrics">Counts.</param>
public sealed class ObjectCompactor(
    NodeRuntime runtime, StreamsOptions options, UploadTarget target, ICompactionRegistry registry, Func<bool> isBusy, CompactionMetrics metrics)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<ObjectCompactor>();

    // One for all runs: what the last write of one has taken is owed by the next.
    private readonly BytePace _pace = new(runtime, options.CompactionBytesPerSecond);

    /// <summary>Ends when it is told to, when this incarnation is fenced, or at once if nothing is to be merged here.</summary>
    public async Task RunAsync(CancellationToken token)
    {
        if (options.CompactionBytesPerSecond == 0)
        {
            return;
        }

        while (true)
        {
            // Lots are drawn, lest all nodes ask at once.
            await Task.Delay(options.CompactionInterval * (0.5 + runtime.Random.NextDouble()), runtime.Time, token);
            try
            {
                while (!isBusy() && await CompactAsync(token))
                {
                    // There may be more.
                }
            }
            catch (StreamException fenced) when (fenced.Error == StreamError.Fenced)
            {
                return;
            }
        }
    }

    /// <summary>Merges what there is to be merged now.</summary>
    /// <returns>Whether something was.</returns>
    /// <exception cref="StreamException">Fenced.</exception>
    public async Task<bool> CompactAsync(CancellationToken token)
    {
        try
        {
            var sources = await registry.TakeAsync(token);
            if (sources.Count == 0)
            {
                return false;
            }

            if (!await NewRun().RunAsync(sources, token))
            {
                metrics.Ended("given up");
                StreamsMessages.CompactionGivenUp(_logger, "There is something better to do");
                return false;
            }

            metrics.Ended("done");
            StreamsMessages.Compacted(_logger, sources.Count, sources.Sum(source => source.Size));
            return true;
        }
        catch (StreamException over) when (over.Error is StreamError.Incomplete or StreamError.PrepareExpired)
        {
            metrics.Ended("given up");
            StreamsMessages.CompactionGivenUp(_logger, over.Message);
        }
        catch (Exception away) when (away is ObjectStorageException or OutOfMemoryException
            or StreamException { Error: StreamError.StorageUnavailable or StreamError.ControllerLost })
        {
            metrics.Ended("given up");
            StreamsMessages.CompactionGivenUp(_logger, away.Message);
        }
        catch (StreamException damage) when (damage.Error == StreamError.Corrupt)
        {
            metrics.Ended("failed");
            StreamsMessages.CompactionDamage(_logger, damage.Message);
        }
        catch (ArgumentException fault)
        {
            metrics.Ended("failed");
            StreamsMessages.CompactionRefused(_logger, fault);
        }
        catch (Exception unexpected) when (unexpected is not (InvariantViolationException or StreamException { Error: StreamError.Fenced })
            && !(unexpected is OperationCanceledException && token.IsCancellationRequested))
        {
            // Nobody waits for it, and nothing was lost: no reason for a node to end.
            metrics.Ended("failed");
            StreamsMessages.CompactionFailed(_logger, unexpected);
        }

        return false;
    }

    private CompactionRun NewRun() =>
        new(
            options, target, registry, new DataObjectReader(runtime, options, target.Storage.ReadAsync),
            _pace, isBusy, new Retry(runtime, options, _logger), metrics, _logger);
}
