using System.Runtime.CompilerServices;
using Millrace.ObjectStorage;
using Millrace.Runtime.Buffers;
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
            var ranges = await registry.GetRangesAsync(id, offset, RangesAtOnce, asOfNow: false, token);
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

    /// <summary>Some blocks, from the one on that holds an offset.</summary>
    private async ValueTask<StreamRead> ReadAsync(ObjectRange range, long offset, CancellationToken token)
    {
        var (records, holds) = (new List<StreamRecord>(), new List<PooledBuffer>());
        try
        {
            if (await cache.Indexes.GetAsync(range.Object, range.ObjectSize, token) is not { } index
                || index.FindRange(range.Stream, range.StartOffset, range.EndOffset) is not (>= 0 and var found))
            {
                throw Gone(range, offset);
            }

            var entry = index.Ranges[found];
            var block = index.FindBlock(entry, offset);
            for (var last = index.LastWithin(entry, block, BytesAtOnce); block <= last; block++)
            {
                if (await cache.Blocks.GetAsync(index, entry, block, last, last, reader: null, token) is not { } hold)
                {
                    throw Gone(range, offset);
                }

                holds.Add(hold.Buffer);
                for (var i = hold.Block.Find(offset); i < hold.Block.Count; i++)
                {
                    records.Add(hold.Block[i]);
                }
            }

            return new StreamRead(records, () => Release(holds));
        }
        catch (ObjectStorageException failure)
        {
            Release(holds);
            throw new StreamException(StreamError.StorageUnavailable, failure.Message, failure);
        }
        catch
        {
            Release(holds);
            throw;
        }
    }

    private static StreamException Gone(ObjectRange range, long offset) =>
        new(StreamError.OffsetOutOfRange, $"Offset {offset} of stream {range.Stream} is in object {range.Object} no more");

    private static void Release(List<PooledBuffer> holds)
    {
        foreach (var hold in holds)
        {
            hold.Release();
        }
    }
}
