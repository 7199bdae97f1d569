using Millrace.Streams.Cache;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Upload;

/// <summary>Tells a stream what the registry made of a range that was uploaded: it is committed, or the stream is lost.</summary>
/// <param name="registry">Is asked where it did not take a range as it was offered.</param>
/// <param name="indexes">Keeps the indexes of new objects, which readers need not fetch.</param>
internal sealed class UploadJudgement(RegistryCalls registry, ObjectIndexCache indexes)
{
    public async Task ApplyAsync(StreamCut cut, UploadOutcome outcome, CancellationToken token)
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
}
