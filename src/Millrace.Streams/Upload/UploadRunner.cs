using Microsoft.Extensions.Logging;
using Millrace.Runtime;
using Millrace.Streams.Cache;
using Millrace.Streams.Objects;

namespace Millrace.Streams.Upload;

/// <summary>Does one upload, from its cuts to the trimming of the WAL.</summary>
/// <param name="time">For measurements.</param>
/// <param name="objects">Makes objects, and has them committed.</param>
/// <param name="judgement">Tells streams what became of their ranges.</param>
/// <param name="tail">Keeps uploaded records for readers.</param>
/// <param name="host">Whose streams these are.</param>
/// <param name="metrics">Counts what was uploaded.</param>
/// <param name="logger">Hears of it.</param>
internal sealed class UploadRunner(
    TimeProvider time, ObjectUploader objects, UploadJudgement judgement, TailCache tail, IUploadHost host, StreamsMetrics metrics, ILogger logger)
{
    /// <summary>Ends when the upload has, and so has the one before it. Fails for a broken invariant only.</summary>
    /// <param name="cuts">What is uploaded, in the order of streams. Released when this ends.</param>
    /// <param name="before">Ends when the upload before it, of the same streams, has.</param>
    /// <param name="started">When the cutting began.</param>
    /// <param name="token">The store stops.</param>
    public async Task RunAsync(List<StreamCut> cuts, Task before, long started, CancellationToken token)
    {
        try
        {
            var byStream = cuts.ToDictionary(cut => cut.Range.Stream);
            var outcomes = await objects.UploadAsync([.. cuts.Select(cut => cut.Range)], walId: null, before, token);
            foreach (var outcome in outcomes)
            {
                await judgement.ApplyAsync(byStream[outcome.Range.Stream], outcome, token);
            }

            Measure(outcomes, started);
            tail.Shrink();
            await host.TrimWalAsync(cuts.Max(cut => cut.LastPosition), token);
        }
        catch (StreamException failure)
        {
            host.LoseAll(failure);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The store stops. What was not committed is in the WAL.
        }
        catch (Exception failure) when (failure is not InvariantViolationException)
        {
            // Nobody repeats it, so its streams cannot go on; what is not committed is in the WAL.
            cuts.ForEach(cut => cut.Stream.Core.LoseFor(failure));
        }
        finally
        {
            cuts.ForEach(cut => cut.Release());
            // Even then the next one of these streams comes after all before.
            await before;
        }
    }

    private void Measure(List<UploadOutcome> outcomes, long started)
    {
        var written = outcomes.Select(outcome => outcome.Index).OfType<DataObjectIndex>().Distinct().ToList();
        var bytes = written.Sum(index => index.ObjectSize);
        var elapsed = time.GetElapsedTime(started);
        metrics.BytesUploaded.Add(bytes);
        metrics.ObjectsCommitted.Add(written.Count);
        metrics.UploadSeconds.Record(elapsed.TotalSeconds);
        StreamsMessages.Uploaded(logger, bytes, outcomes.Count, written.Count, elapsed);
    }
}
