using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Upload;

/// <summary>
/// Turns ranges into committed objects: prepare ids, write objects, commit them in one log entry, with the closing of what ends there. Repeats each step
/// until it is done. What cannot be done at once, for lack of memory or because it is too much for an object, is done in parts.
/// </summary>
/// <param name="runtime">Time and chance.</param>
/// <param name="options">Sizes and pauses.</param>
/// <param name="target">Where objects go.</param>
/// <param name="logger">Hears of what fails.</param>
/// <param name="budget">Keeps account of the memory that objects take while they are written; null where nobody does.</param>
/// <param name="failures">Counts failed steps; null where nobody does.</param>
/// <param name="ahead">Ids from earlier uploads for later ones; null where there are none.</param>
/// <param name="cache">Keeps what is committed for those who read it next; null where they have it anyway.</param>
internal sealed class ObjectUploader(
    NodeRuntime runtime, StreamsOptions options, UploadTarget target, ILogger logger, MemoryBudget? budget = null, Counter<long>? failures = null,
    PreparedIds? ahead = null, ObjectCache? cache = null)
{
    private readonly Retry _retry = new(runtime, options, logger, failures);

    /// <param name="ranges">Ordered by stream and offset; their payloads stay unchanged until this returns.</param>
    /// <param name="walId">The fenced WAL they come from, or null for the node's own streams.</param>
    /// <param name="before">Ends when the uploads before this one, of the same streams, are settled: the commits of a stream keep their order.</param>
    /// <param name="token">Ends it. What was written but not committed is the controller's to delete.</param>
    /// <returns>An outcome for each range, or for each part of one; those of a stream in the order of their offsets.</returns>
    /// <exception cref="StreamException">Fenced, or whatever else will not change.</exception>
    public async Task<List<UploadOutcome>> UploadAsync(IReadOnlyList<UploadRange> ranges, Guid? walId, Task before, CancellationToken token)
    {
        var outcomes = new List<UploadOutcome>(ranges.Count);
        var parts = new Stack<IReadOnlyList<UploadRange>>();
        parts.Push(ranges);
        while (parts.TryPop(out var part))
        {
            try
            {
                await UploadPartAsync(part, walId, before, outcomes, token);
            }
            catch (UploadTooLargeException failure)
            {
                await SplitAsync(part, failure.InnerException!, parts, outcomes, token);
            }
        }

        return outcomes;
    }

    private async Task UploadPartAsync(
        IReadOnlyList<UploadRange> ranges, Guid? walId, Task before, List<UploadOutcome> outcomes, CancellationToken token)
    {
        while (ranges.Count > 0)
        {
            var objects = new List<DataObject>();
            var held = 0L;
            try
            {
                UploadCommit commit;
                var closes = new List<StreamClose>(ranges.Count);
                try
                {
                    var plan = Plan(ranges);
                    var first = await PrepareAsync(plan.Count, token);
                    foreach (var (kind, members) in plan)
                    {
                        var built = DataObjectBuilder.Build(new ObjectId(first.Value + objects.Count), kind, members, options.DataBlockBytes, target.Buffers);
                        objects.Add(built);
                        held += built.HeldBytes;
                        budget?.Hold(built.HeldBytes);
                    }

                    await WriteAsync(objects, token);
                    commit = new UploadCommit(target.Node, walId, [.. objects.SelectMany(written => written.Ranges)])
                    {
                        Closes = closes,
                        PreparesNext = ahead is { IsEmpty: true },
                    };
                }
                catch (Exception failure) when (failure is OutOfMemoryException || Retry.IsFinal(failure))
                {
                    throw new UploadTooLargeException(failure);
                }

                await before.OrCancelled(token);
                var durable = await WhenDurableAsync(ranges, outcomes, token);
                if (durable.Count == ranges.Count)
                {
                    AskToClose(ranges, closes);
                    outcomes.AddRange(await CommitAsync(commit, objects, token));
                    return;
                }

                // The others go in objects without what nobody may ever see.
                ranges = durable;
            }
            catch (StreamException expired) when (expired.Error == StreamError.PrepareExpired)
            {
                StreamsMessages.PrepareExpired(logger);
            }
            finally
            {
                budget?.Release(held);
                foreach (var written in objects)
                {
                    written.Dispose();
                }
            }
        }
    }

    /// <summary>
    /// Puts two parts in the place of one that cannot be done. The smallest is tried again if memory may come back, and given up if nothing will
    /// change.
    /// </summary>
    private async Task SplitAsync(
        IReadOnlyList<UploadRange> part, Exception failure, Stack<IReadOnlyList<UploadRange>> parts, List<UploadOutcome> outcomes, CancellationToken token)
    {
        failures?.Add(1);
        if (part.Count > 1)
        {
            StreamsMessages.UploadSplit(logger, part.Sum(range => range.Records.Count), failure.Message);
            parts.Push([.. part.Skip(part.Count / 2)]);
            parts.Push([.. part.Take(part.Count / 2)]);
        }
        else if (part[0].Split() is { } halves)
        {
            StreamsMessages.UploadSplit(logger, part[0].Records.Count, failure.Message);
            parts.Push([halves.Second]);
            parts.Push([halves.First]);
        }
        else if (failure is OutOfMemoryException)
        {
            StreamsMessages.Retrying(logger, "An upload", options.RetryLimit, failure.Message);
            await Task.Delay(options.RetryLimit, runtime.Time, token);
            parts.Push(part);
        }
        else
        {
            outcomes.Add(GivenUp(part[0], failure));
        }
    }

    /// <summary>Waits until what was taken before it was durable is so. Those of which it never will be have an outcome, and are left out.</summary>
    private static async Task<List<UploadRange>> WhenDurableAsync(IReadOnlyList<UploadRange> ranges, List<UploadOutcome> outcomes, CancellationToken token)
    {
        var durable = new List<UploadRange>(ranges.Count);
        foreach (var range in ranges)
        {
            try
            {
                await range.Durable.OrCancelled(token);
                durable.Add(range);
            }
            catch (StreamException lost)
            {
                outcomes.Add(GivenUp(range, lost));
            }
        }

        return durable;
    }

    /// <summary>Until here streams may have changed their minds. There is room for all.</summary>
    private static void AskToClose(IReadOnlyList<UploadRange> ranges, List<StreamClose> closes)
    {
        foreach (var range in ranges)
        {
            if (range.Closing?.Invoke() is { } close)
            {
                closes.Add(close);
            }
        }
    }

    private static UploadOutcome GivenUp(UploadRange range, Exception failure) => new(
        new ObjectRange(
            default, ObjectKind.StreamSet, 0, range.Stream, range.Epoch, range.StartOffset, range.EndOffset, range.Bytes, MaxTimestamp: -1,
            HasCheckpoint: false, default),
        default,
        Index: null,
        Failure: failure);

    /// <summary>Big streams get objects of their own, which need no splitting later; all others share one.</summary>
    private List<(ObjectKind Kind, IReadOnlyList<UploadRange> Members)> Plan(IReadOnlyList<UploadRange> ranges)
    {
        var plan = new List<(ObjectKind, IReadOnlyList<UploadRange>)>();
        var shared = new List<UploadRange>();
        foreach (var range in ranges)
        {
            if (range.Bytes >= options.StreamObjectBytes)
            {
                plan.Add((ObjectKind.Stream, [range]));
            }
            else
            {
                shared.Add(range);
            }
        }

        if (shared.Count > 0)
        {
            plan.Add((ObjectKind.StreamSet, shared));
        }

        return plan;
    }

    /// <summary>The first of consecutive ids.</summary>
    private async Task<ObjectId> PrepareAsync(int count, CancellationToken token) =>
        (count == 1 ? ahead?.Take() : null)
        ?? await _retry.UntilDoneAsync("Preparing objects", cancel => target.Registry.PrepareAsync(target.Node, count, cancel), token);

    private async Task WriteAsync(List<DataObject> objects, CancellationToken token)
    {
        // When one gives up for good the others are of no use, and their memory may go only when they have stopped.
        using var abandon = CancellationTokenSource.CreateLinkedTokenSource(token);
        await Task.WhenAll(objects.Select(async written =>
        {
            try
            {
                await _retry.UntilDoneAsync(
                    "Writing an object", cancel => target.Storage.PutAsync(written.Key, written.Body, cancel), abandon.Token, repeatsOutOfMemory: false);
            }
            catch
            {
                abandon.Cancel();
                throw;
            }
        }));
    }

    // Once the registry has committed, nothing may fail here: the ranges would be offered again.
    private async Task<UploadOutcome[]> CommitAsync(UploadCommit commit, List<DataObject> objects, CancellationToken token)
    {
        var outcomes = new UploadOutcome[commit.Ranges.Count];
        var committed = await _retry.UntilDoneAsync("Committing an upload", cancel => target.Registry.CommitAsync(commit, cancel), token);
        var verdicts = committed.Verdicts;
        Invariant.Check(verdicts.Count == commit.Ranges.Count);
        if (committed.NextId is { } id)
        {
            ahead!.Add(id);
        }

        var next = 0;
        foreach (var written in objects)
        {
            cache?.Keep(written, [.. verdicts.Skip(next).Take(written.Ranges.Count)]);
            foreach (var range in written.Ranges)
            {
                outcomes[next] = new UploadOutcome(
                    range, verdicts[next], written.Index, committed.Closed.Contains(range.Stream),
                    next < committed.RangeCounts.Count ? committed.RangeCounts[next] : null);
                next++;
            }
        }

        return outcomes;
    }
}
