using System.Runtime.CompilerServices;
using Millrace.ObjectStorage;
using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Reading;

/// <summary>Reads what is committed of a stream, whoever has it open: what stands there is never changed.</summary>
internal sealed class CommittedReader(IStreamRegistry registry, ObjectCache cache)
{
    private const int RangesAtOnce = 100;
    private const int BytesAtOnce = 2 << 20;

    /// <inheritdoc cref="IStreamStore.ReadCommittedAsync"/>
    public async IAsyncEnumerable<StreamRead> ReadAsync(StreamId id, long offset, [EnumeratorCancellation] CancellationToken token)
    {
        while (true)
        {
            var ranges = await registry.GetRangesAsync(id, offset, RangesAtOnce, token);
            foreach (var range in ranges)
            {
                // What was trimmed in its object is there all the same.
                for (offset = Math.Max(offset, range.StartOffset); offset < range.EndOffset;)
                {
                    var read = await ReadAsync(range, offset, token);
                    offset = read.Records[^1].EndOffset;
                    yield return read;
                }
            }

            if (ranges.Count < RangesAtOnce)
            {
                yield break;
            }
        }
    }

    private async ValueTask<StreamRead> ReadAsync(ObjectRange range, long offset, CancellationToken token)
    {
        try
        {
            if (await cache.Indexes.GetAsync(range.Object, range.ObjectSize, token) is { } index
                && index.FindRange(range.Stream, offset) is >= 0 and var found && index.Ranges[found] is var entry
                && index.FindBlock(entry, offset) is var block && block < entry.FirstBlock + entry.BlockCount)
            {
                var last = index.LastWithin(entry, block, BytesAtOnce);
                if (await cache.Blocks.GetAsync(index, entry, block, last, last, reader: null, token) is { } hold)
                {
                    List<StreamRecord> records = [.. Enumerable.Range(0, hold.Block.Count).Select(i => hold.Block[i]).Skip(hold.Block.Find(offset))];
                    return new StreamRead(records, hold.Buffer.Release);
                }
            }
        }
        catch (ObjectStorageException failure)
        {
            throw new StreamException(StreamError.StorageUnavailable, failure.Message, failure);
        }

        throw new StreamException(
            StreamError.OffsetOutOfRange, $"Offset {offset} of stream {range.Stream} is in object {range.Object} no more");
    }
}
