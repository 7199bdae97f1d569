using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Cache;
using Millrace.Streams.Objects;

namespace Millrace.Streams.Recovery;

/// <summary>Records copied out of a WAL until they are uploaded, packed into large buffers.</summary>
internal sealed class RecoveredRecords(BufferPool buffers) : IDisposable
{
    private const int ChunkBytes = 1 << 20;
    private readonly SortedDictionary<StreamId, List<StreamRecord>> _records = [];
    private readonly List<PooledBuffer> _chunks = [];
    private Memory<byte> _free;

    /// <summary>
    /// What the records take, each with its bookkeeping: what decides when they are uploaded. The buffers have up to one of them more, however small they are.
    /// </summary>
    public long Bytes { get; private set; }

    /// <summary>Copies a record. The caller sees to it that it follows the last one of its stream.</summary>
    public void Add(in StreamRecord record)
    {
        if (record.Payload.Length > _free.Length)
        {
            var chunk = buffers.Rent(Math.Max(ChunkBytes, record.Payload.Length));
            _chunks.Add(chunk);
            _free = chunk.Memory;
        }

        var copy = _free[..record.Payload.Length];
        _free = _free[record.Payload.Length..];
        record.Payload.CopyTo(copy);
        if (!_records.TryGetValue(record.Stream, out var records))
        {
            _records.Add(record.Stream, records = []);
        }

        records.Add(record with { Payload = copy });
        Bytes += record.Payload.Length + RecordCost.Cached;
    }

    /// <summary>The records as ranges to upload, by stream and offset; a stream that was opened anew has one for each epoch.</summary>
    public List<UploadRange> ToRanges()
    {
        var ranges = new List<UploadRange>();
        foreach (var (stream, records) in _records)
        {
            for (var first = 0; first < records.Count;)
            {
                var end = first + 1;
                while (end < records.Count && records[end].Epoch == records[first].Epoch)
                {
                    end++;
                }

                ranges.Add(new UploadRange(
                    stream,
                    records[first].Epoch,
                    records[first].BaseOffset,
                    records[end - 1].EndOffset,
                    [.. records.GetRange(first, end - first)],
                    default,
                    default));
                first = end;
            }
        }

        return ranges;
    }

    /// <summary>Forgets the records and gives their memory back.</summary>
    public void Clear()
    {
        _chunks.ForEach(chunk => chunk.Release());
        _chunks.Clear();
        _records.Clear();
        _free = default;
        Bytes = 0;
    }

    public void Dispose() => Clear();
}
