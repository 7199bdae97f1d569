using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;

namespace Millrace.Streams.Compaction;

/// <summary>
/// One merge of some objects: finds what counts of them, and makes and commits one object after another of it. What is committed stays so: a run that ends
/// early has done a part, and the rest is found and given out again.
/// </summary>
/// <remarks>
/// Records are copied as they are, and every one of them is hashed: what was read must be what the index says, and the index what the registry has. What is
/// not is left out: a source whose index is damaged is like one that is gone, and a damaged stream stays where it is. Memory: the sources' indexes, one
/// object's content, and its small records once more. Threading: one call at a time.
/// </remarks>
/// <param name="options">Sizes.</param>
/// <param name="target">Where objects go.</param>
/// <param name="registry">Knows what counts, and decides.</param>
/// <param name="reader">Reads the sources.</param>
/// <param name="pace">How fast.</param>
/// <param name="isBusy">Whether there is something better to do.</param>
/// <param name="retry">Repeats what has been asked of the registry.</param>
/// <param name="metrics">Counts.</param>
/// <param name="logger">Hears of damage.</param>
internal sealed class CompactionRun(
    StreamsOptions options, UploadTarget target, ICompactionRegistry registry, DataObjectReader reader, BytePace pace, Func<bool> isBusy,
    Retry retry, CompactionMetrics metrics, ILogger logger)
{
    // With a range in each of some objects, a megabyte of answer.
    private const int StreamsAtOnce = 500;

    /// <returns>Whether it came to its end: false where there was something better to do.</returns>
    /// <exception cref="StreamException">Fenced; Incomplete, PrepareExpired: what was to be merged is needed no more; Corrupt; StorageUnavailable.</exception>
    /// <exception cref="ObjectStorage.ObjectStorageException">The store does not take an object.</exception>
    public async Task<bool> RunAsync(IReadOnlyList<CompactionSource> given, CancellationToken token)
    {
        var sources = await OpenAsync(given, token);
        await foreach (var compacted in CompactedObject.DealAsync(MergeAsync(sources, token), options.StreamObjectBytes, options.CompactedObjectBytes))
        {
            if (isBusy())
            {
                return false;
            }

            await MakeAsync(compacted, token);
        }

        return true;
    }

    private async Task<SortedDictionary<ObjectId, SourceObject>> OpenAsync(IReadOnlyList<CompactionSource> given, CancellationToken token)
    {
        var sources = new SortedDictionary<ObjectId, SourceObject>();
        foreach (var source in given)
        {
            try
            {
                var tail = DataObjectReader.TailOf(source.Size);
                await pace.TakeAsync(tail, token);

                // One that is gone holds nothing that counts any more.
                if (await reader.ReadIndexAsync(source.Object, source.Size, token) is { } index)
                {
                    if (index.EncodedSize > tail)
                    {
                        await pace.TakeAsync(index.EncodedSize, token);
                    }

                    sources.Add(source.Object, new SourceObject(source, index));
                }
            }
            catch (StreamException damage) when (damage.Error == StreamError.Corrupt)
            {
                StreamsMessages.CompactionDamage(logger, damage.Message);
            }
        }

        return sources;
    }

    /// <summary>The ranges that are to be of each stream.</summary>
    private async IAsyncEnumerable<IReadOnlyList<MergedRange>> MergeAsync(
        SortedDictionary<ObjectId, SourceObject> sources, [EnumeratorCancellation] CancellationToken token)
    {
        foreach (var streams in sources.Values.SelectMany(StreamsIn).Distinct().Order().Chunk(StreamsAtOnce))
        {
            var holdings = await retry.UntilDoneAsync(
                "Asking what lies in objects", cancel => registry.GetHoldingsAsync([.. sources.Keys], streams, cancel), token);
            foreach (var (stream, holding) in streams.Zip(holdings))
            {
                yield return Merge(stream, holding, sources);
            }
        }
    }

    private IReadOnlyList<MergedRange> Merge(StreamId stream, StreamHolding holding, SortedDictionary<ObjectId, SourceObject> sources)
    {
        try
        {
            return RangeMerge.Of(stream, holding, sources, options.CompactedObjectBytes);
        }
        catch (StreamException damage) when (damage.Error == StreamError.Corrupt)
        {
            StreamsMessages.CompactionDamage(logger, damage.Message);
            return [];
        }
    }

    private async Task MakeAsync(CompactedObject compacted, CancellationToken token)
    {
        using var pieces = new SourcePieces(reader, pace, target.Buffers);
        Want(compacted, pieces);
        await pieces.ReadAsync(token);
        metrics.BytesRead.Add(pieces.BytesRead);
        var content = new MergedContent(compacted.Ranges, pieces, damage => StreamsMessages.CompactionDamage(logger, damage.Message));
        if (content.Ranges.Count == 0)
        {
            return;
        }

        var id = await retry.UntilDoneAsync("Preparing an object", cancel => target.Registry.PrepareAsync(target.Node, 1, cancel), token);
        using var built = DataObjectBuilder.Build(id, compacted.Kind, content.Ranges, options.DataBlockBytes, target.Buffers);
        await pace.TakeAsync(built.Index.ObjectSize, token);
        await target.Storage.PutAsync(built.Key, built.Body, token);
        var commit = new CompactionCommit(target.Node, [.. content.Shares], built.Ranges);
        var replaced = await retry.UntilDoneAsync("Committing a compaction", cancel => registry.CommitAsync(commit, cancel), token);
        metrics.BytesWritten.Add(built.Index.ObjectSize);
        metrics.Objects.Add(1);
        metrics.Ranges.Add(replaced);
    }

    private static void Want(CompactedObject compacted, SourcePieces pieces)
    {
        foreach (var range in compacted.Ranges)
        {
            foreach (var part in range.Parts)
            {
                foreach (var block in part.Source.Index.Blocks[part.FirstBlock..part.EndBlock])
                {
                    pieces.Want(part.Source.Id, block.Position, block.Size);
                }
            }

            foreach (var attachment in new[] { range.Checkpoint, range.Annex }.OfType<KeptAttachment>())
            {
                pieces.Want(attachment.Source.Id, attachment.Entry.Position, attachment.Entry.Length);
            }
        }
    }

    private static IEnumerable<StreamId> StreamsIn(SourceObject source)
    {
        for (var i = 0; i < source.Index.Ranges.Length; i++)
        {
            yield return source.Index.Ranges[i].Stream;
        }
    }
}
