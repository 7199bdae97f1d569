using Microsoft.Extensions.Logging;
using Millrace.Runtime;
using Millrace.Streams.Cache;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;
using Millrace.Streams.State;

namespace Millrace.Streams.Upload;

/// <summary>
/// Does one upload, from its cuts to the trimming of the WAL: has its objects made and committed, tells each stream what the registry made of its ranges,
/// and gives up what the WAL need not keep any more.
/// </summary>
/// <param name="time">For measurements.</param>
/// <param name="objects">Makes objects, and has them committed.</param>
/// <param name="registry">Is asked where it did not take a range as it was offered.</param>
/// <param name="indexes">Keeps the indexes of new objects, which readers need not fetch.</param>
/// <param name="tail">Keeps uploaded records for readers.</param>
/// <param name="wal">What is committed may leave it.</param>
/// <param name="host">Whose streams these are.</param>
/// <param name="metrics">Counts what was uploaded.</param>
/// <param name="logger">Hears of it.</param>
internal sealed class UploadRunner(
    TimeProvider time,
    ObjectUploader objects,
    RegistryCalls registry,
    ObjectIndexCache indexes,
    TailCache tail,
    WalTrim wal,
    IUploadHost host,
    StreamsMetrics metrics,
    ILogger logger)
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
                await JudgeAsync(byStream[outcome.Range.Stream], outcome, token);
            }

            Measure(outcomes, started);
            tail.Shrink();
            await wal.TrimAsync(cuts.Max(cut => cut.LastPosition), token);
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

    /// <summary>Tells a stream what the registry made of a range: it is committed, or the stream is lost.</summary>
    private async Task JudgeAsync(StreamCut cut, UploadOutcome outcome, CancellationToken token)
    {
        var core = cut.Stream.Core;
        if (outcome.Failure is { } failure)
        {
            core.Lose(new StreamException(
                StreamError.Corrupt,
                $"What stream {core.Id} has from offset {outcome.Range.StartOffset} on cannot be uploaded, and stays in the WAL: {failure.Message}",
                failure));
            return;
        }

        switch (outcome.Verdict.Outcome)
        {
            case RangeOutcome.Accepted:
                indexes.Add(outcome.Index!);
                cut.Stream.OnCommitted(outcome.Range, outcome.Range.StartOffset);
                break;
            case RangeOutcome.Cut or RangeOutcome.Void:
                await ReconcileAsync(cut.Stream, cut.Range.EndOffset, token);
                break;
            case RangeOutcome.Gap:
                core.Lose(new StreamException(
                    StreamError.Corrupt,
                    $"The registry misses records of stream {core.Id} before offset {outcome.Range.StartOffset}; what follows stays in the WAL"));
                break;
        }
    }

    /// <summary>The registry did not take a range as it was offered: finds out what it has instead.</summary>
    private async Task ReconcileAsync(StreamUploads stream, long end, CancellationToken token)
    {
        var (core, id) = (stream.Core, stream.Core.Id);
        var committed = await registry.GetCommittedEndAsync(id, token);
        if (committed is null)
        {
            core.Lose(new StreamException(StreamError.Unknown, $"Stream {id} has been deleted"));
        }
        else if (committed != end)
        {
            core.Lose(new StreamException(StreamError.Fenced, $"Stream {id} ends at {committed} in the registry, and at {end} here: it has another owner"));
        }
        else
        {
            try
            {
                stream.OnCommitted(await registry.LoadRangesAsync(id, core.Offsets.Start, token), end);
            }
            catch (StreamException deleted) when (deleted.Error == StreamError.Unknown)
            {
                // Since the question before. It is this stream's end, and not the upload's.
                core.Lose(deleted);
            }
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
