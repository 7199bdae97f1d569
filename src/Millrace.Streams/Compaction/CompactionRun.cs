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
/// Records are copied as they are, and every one of them is hashed: what was read must be what the index says, and the index what the registry has. Memory:
/// one object's content, and its small records once more. Threading: one call at a time.
/// </remarks>
/// <param name="options">Sizes.</param>
/// <param name="target">Where objects go.</param>
/// <param name="registry">Knows what counts, and decides.</param>
/// <param name="reader">Reads the sources.</param>
/// <param name="pace">How fast.</param>
/// <param name="retry">Repeats what has been asked of the registry.</param>
/// <param name="metrics">Counts.</param>
internal sealed class CompactionRun(
    StreamsOptions options, UploadTarget target, ICompactionRegistry registry, DataObjectReader reader, BytePace pace, Retry retry, CompactionMetrics metrics)
{
    /// <exception cref="StreamException">Fenced; Incomplete, PrepareExpired: what was to be merged is needed no more; Corrupt; StorageUnavailable.</exception>
    /// <exception cref="ObjectStorage.ObjectStorageException">The store does not take an object.</exception>
    public async Task RunAsync(IReadOnlyList<CompactionSource> given, CancellationToken token)
    {
        var sources = await OpenAsync(given, token);
        StreamId[] streams = [.. sources.Values.SelectMany(StreamsIn).Distinct().Order()];
        var holdings = await retry.UntilDoneAsync(
            "Asking what lies in objects", cancel => registry.GetHoldingsAsync([.. sources.Keys], streams, cancel), token);
        var ranges = streams.Zip(holdings, (stream, holding) => RangeMerge.Of(stream, holding, sources, options.CompactedObjectBytes));
        foreach (var compacted in CompactedObject.Deal(ranges, options.StreamObjectBytes, options.CompactedObjectBytes))
        {
            await MakeAsync(compacted, token);
        }
    }

    private async Task<SortedDictionary<ObjectId, SourceObject>> OpenAsync(IReadOnlyList<CompactionSource> given, CancellationToken token)
    {
        var sources = new SortedDictionary<ObjectId, SourceObject>();
        foreach (var source in given)
        {
            // One that is gone holds nothing that counts any more.
            if (await reader.ReadIndexAsync(source.Object, source.Size, token) is { } index)
            {
                sources.Add(source.Object, new SourceObject(source, index));
            }
        }

        return sources;
    }

    private async Task MakeAsync(CompactedObject compacted, CancellationToken token)
    {
        using var pieces = new SourcePieces(reader, pace, target.Buffers);
        Want(compacted, pieces);
        await pieces.ReadAsync(token);
        metrics.BytesRead.Add(pieces.BytesRead);
        var taken = new SortedDictionary<ObjectId, RangeDigest>();
        UploadRange[] ranges = [.. compacted.Ranges.Select(range => ToUpload(range, pieces, taken))];
        var id = await retry.UntilDoneAsync("Preparing an object", cancel => target.Registry.PrepareAsync(target.Node, 1, cancel), token);
        using var built = DataObjectBuilder.Build(id, compacted.Kind, ranges, options.DataBlockBytes, target.Buffers);
        await target.Storage.PutAsync(built.Key, built.Body, token);
        var commit = new CompactionCommit(target.Node, SharesOf(compacted, taken), built.Ranges);
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

    private static UploadRange ToUpload(MergedRange range, SourcePieces pieces, SortedDictionary<ObjectId, RangeDigest> taken)
    {
        var blocks = new List<(DataBlock, int)>();
        foreach (var part in range.Parts)
        {
            taken[part.Source.Id] = taken.GetValueOrDefault(part.Source.Id) + ReadPart(part, pieces, blocks);
        }

        return new UploadRange(
            range.Stream, range.Epoch, range.StartOffset, range.EndOffset, new BlockRecords(blocks), Attached(range.Checkpoint, pieces),
            Attached(range.Annex, pieces));
    }

    /// <summary>Checks a part, and adds its blocks.</summary>
    /// <returns>The digest of those of its records that count.</returns>
    private static RangeDigest ReadPart(MergedPart part, SourcePieces pieces, List<(DataBlock Block, int First)> blocks)
    {
        var (digest, next) = (default(RangeDigest), part.Range.StartOffset);
        for (var i = part.FirstBlock; i < part.EndBlock; i++)
        {
            var entry = part.Source.Index.Blocks[i];
            var block = new DataBlock(pieces[part.Source.Id, entry.Position]);
            if (block.FindFault(part.Range.Stream, part.Range.Epoch, entry) is { } fault)
            {
                throw DataObjectReader.Corrupt(part.Source.Id, $"block at {entry.Position}: {fault}");
            }

            var first = block.Find(next);
            if (first == block.Count || block[first].BaseOffset != next)
            {
                throw DataObjectReader.Corrupt(part.Source.Id, $"no record of stream {part.Range.Stream} begins at offset {next}");
            }

            for (var at = first; at < block.Count; at++)
            {
                digest += RecordDigest.Of(block[at]);
            }

            blocks.Add((block, first));
            next = entry.EndOffset;
        }

        return next == part.Range.EndOffset && (part.IsCut || digest == part.Entry.Digest)
            ? digest
            : throw DataObjectReader.Corrupt(part.Source.Id, $"it holds other records of stream {part.Range.Stream} than its index says");
    }

    private static ReadOnlyMemory<byte> Attached(KeptAttachment? kept, SourcePieces pieces)
    {
        if (kept is not { } attachment)
        {
            return default;
        }

        var bytes = pieces[attachment.Source.Id, attachment.Entry.Position];
        return AttachmentEntry.For(attachment.Entry.Position, bytes.Span) == attachment.Entry
            ? bytes
            : throw DataObjectReader.Corrupt(attachment.Source.Id, $"the attachment at {attachment.Entry.Position} does not match its checksum");
    }

    private static SourceShare[] SharesOf(CompactedObject compacted, SortedDictionary<ObjectId, RangeDigest> taken) =>
    [
        .. compacted.Ranges
            .SelectMany(range => range.Parts.Select(part => part.Source).Concat(range.Checkpoint is { } kept ? [kept.Source] : []))
            .DistinctBy(source => source.Id)
            .Select(source => new SourceShare(
                source.Id, taken.GetValueOrDefault(source.Id), source.Source.Digest - taken.GetValueOrDefault(source.Id))),
    ];

    private static IEnumerable<StreamId> StreamsIn(SourceObject source)
    {
        for (var i = 0; i < source.Index.Ranges.Length; i++)
        {
            yield return source.Index.Ranges[i].Stream;
        }
    }
}
