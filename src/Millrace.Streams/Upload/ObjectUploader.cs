using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Millrace.Runtime;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Upload;

/// <summary>
/// Turns ranges into committed objects: prepare ids, write objects, commit them in one log entry. Repeats each step until it is done.
/// </summary>
internal sealed class ObjectUploader(NodeRuntime runtime, StreamsOptions options, UploadTarget target, ILogger logger, Counter<long>? failures = null)
{
    private readonly Retry _retry = new(runtime, options, logger, failures);

    /// <param name="ranges">Ordered by stream and offset; their payloads stay unchanged until this returns.</param>
    /// <param name="walId">The fenced WAL they come from, or null for the node's own streams.</param>
    /// <param name="turn">Completes when the commits before this one are through: the commits of a stream keep their order.</param>
    /// <param name="token">Ends it. What was written but not committed is the controller's to delete.</param>
    /// <returns>One outcome for each range, in the order given.</returns>
    /// <exception cref="StreamException">Fenced, or whatever else will not change.</exception>
    public async Task<UploadOutcome[]> UploadAsync(IReadOnlyList<UploadRange> ranges, Guid? walId, Task turn, CancellationToken token)
    {
        while (true)
        {
            var plan = Plan(ranges);
            var first = await _retry.UntilDoneAsync("Preparing objects", cancel => target.Registry.PrepareAsync(target.Node, plan.Count, cancel), token);
            var objects = new List<DataObject>(plan.Count);
            try
            {
                foreach (var (kind, members) in plan)
                {
                    objects.Add(DataObjectBuilder.Build(
                        new ObjectId(first.Value + objects.Count), kind, members, options.DataBlockBytes, target.Buffers));
                }

                await WriteAsync(objects, token);
                await turn.OrCancelled(token);
                return await CommitAsync(ranges, plan, objects, walId, token);
            }
            catch (StreamException expired) when (expired.Error == StreamError.PrepareExpired)
            {
                Log.PrepareExpired(logger);
            }
            finally
            {
                foreach (var written in objects)
                {
                    written.Dispose();
                }
            }
        }
    }

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

    private async Task WriteAsync(List<DataObject> objects, CancellationToken token)
    {
        // When one gives up for good the others are of no use, and their memory may go only when they have stopped.
        using var abandon = CancellationTokenSource.CreateLinkedTokenSource(token);
        await Task.WhenAll(objects.Select(async written =>
        {
            try
            {
                await _retry.UntilDoneAsync(
                    "Writing an object",
                    async cancel =>
                    {
                        await target.Storage.PutAsync(written.Key, written.Body, cancel);
                        return true;
                    },
                    abandon.Token);
            }
            catch
            {
                abandon.Cancel();
                throw;
            }
        }));
    }

    private async Task<UploadOutcome[]> CommitAsync(
        IReadOnlyList<UploadRange> ranges, List<(ObjectKind Kind, IReadOnlyList<UploadRange> Members)> plan, List<DataObject> objects, Guid? walId,
        CancellationToken token)
    {
        var commit = new UploadCommit(target.Node, walId, [.. objects.SelectMany(written => written.Ranges)]);
        var verdicts = await _retry.UntilDoneAsync("Committing an upload", cancel => target.Registry.CommitAsync(commit, cancel), token);
        Invariant.Check(verdicts.Count == commit.Ranges.Count);
        var outcomes = new Dictionary<UploadRange, UploadOutcome>(ReferenceEqualityComparer.Instance);
        var next = 0;
        for (var i = 0; i < objects.Count; i++)
        {
            foreach (var member in plan[i].Members)
            {
                outcomes.Add(member, new UploadOutcome(commit.Ranges[next], verdicts[next], objects[i].Index));
                next++;
            }
        }

        return [.. ranges.Select(range => outcomes[range])];
    }
}
