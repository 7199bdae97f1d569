using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Compaction;

/// <summary>What was read for one object, and is right: every record is hashed, and a stream of which one is wrong is left out.</summary>
/// <remarks>Lies in the memory of the pieces.</remarks>
internal sealed class MergedContent
{
    private readonly SourcePieces _pieces;
    private readonly SortedDictionary<ObjectId, SourceShare> _shares = [];
    private readonly List<UploadRange> _ranges = [];

    /// <param name="ranges">By stream and offset.</param>
    /// <param name="pieces">All that is wanted of them.</param>
    /// <param name="onDamage">Hears why a stream is left out.</param>
    public MergedContent(IReadOnlyList<MergedRange> ranges, SourcePieces pieces, Action<StreamException> onDamage)
    {
        _pieces = pieces;
        foreach (var stream in ranges.GroupBy(range => range.Stream))
        {
            try
            {
                Add([.. stream]);
            }
            catch (StreamException damage) when (damage.Error == StreamError.Corrupt)
            {
                onDamage(damage);
            }
        }
    }

    /// <summary>By stream and offset; none where nothing of it is right.</summary>
    public IReadOnlyList<UploadRange> Ranges => _ranges;

    /// <summary>What was taken from each source, by object.</summary>
    public IReadOnlyCollection<SourceShare> Shares => _shares.Values;

    private void Add(IReadOnlyList<MergedRange> ofStream)
    {
        var taken = new List<(SourceObject Source, RangeDigest Digest)>();
        UploadRange[] uploads = [.. ofStream.Select(range => ToUpload(range, taken))];
        _ranges.AddRange(uploads);
        foreach (var (source, digest) in taken)
        {
            var share = _shares.TryGetValue(source.Id, out var former) ? former : new SourceShare(source.Id, default, source.Source.Digest);
            _shares[source.Id] = share with { Taken = share.Taken + digest, Rest = share.Rest - digest };
        }
    }

    private UploadRange ToUpload(MergedRange range, List<(SourceObject Source, RangeDigest Digest)> taken)
    {
        var blocks = new List<(DataBlock, int)>();
        foreach (var part in range.Parts)
        {
            taken.Add((part.Source, ReadPart(part, blocks)));
        }

        if (range.Checkpoint is { } kept)
        {
            // Its source is named, though no record may have been taken from it.
            taken.Add((kept.Source, default));
        }

        return new UploadRange(
            range.Stream, range.Epoch, range.StartOffset, range.EndOffset, new BlockRecords(blocks), Attached(range.Checkpoint), Attached(range.Annex));
    }

    /// <summary>Checks a part, and adds its blocks.</summary>
    /// <returns>The digest of those of its records that count.</returns>
    private RangeDigest ReadPart(MergedPart part, List<(DataBlock Block, int First)> blocks)
    {
        var (digest, next) = (default(RangeDigest), part.Range.StartOffset);
        for (var i = part.FirstBlock; i < part.EndBlock; i++)
        {
            var entry = part.Source.Index.Blocks[i];
            var block = new DataBlock(_pieces[part.Source.Id, entry.Position]);
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

    private ReadOnlyMemory<byte> Attached(KeptAttachment? kept)
    {
        if (kept is not { } attachment)
        {
            return default;
        }

        var bytes = _pieces[attachment.Source.Id, attachment.Entry.Position];
        return AttachmentEntry.For(attachment.Entry.Position, bytes.Span) == attachment.Entry
            ? bytes
            : throw DataObjectReader.Corrupt(attachment.Source.Id, $"the attachment at {attachment.Entry.Position} does not match its checksum");
    }
}
