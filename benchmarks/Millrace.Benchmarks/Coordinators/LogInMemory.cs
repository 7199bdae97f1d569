using Millrace.Coordination.Shards;
using Millrace.Protocol.Records;

namespace Millrace.Benchmarks.Coordinators;

/// <summary>A coordinator's log as batches in memory.</summary>
internal sealed class LogInMemory : IPartitionWriter, IPartitionLoader
{
    private readonly List<byte[]> _batches = [];
    private readonly RecordBatchBuilder _builder = new();

    public long Bytes => _batches.Sum(batch => (long)batch.Length);

    public int MaxBatchBytes => 1 << 20;

    public bool IsBusy => false;

    public ValueTask<long> AppendAsync(IReadOnlyList<EncodedRecord> records, long timestamp)
    {
        foreach (var record in records)
        {
            _builder.Append(timestamp, record.Key, record.Value);
        }

        _batches.Add(_builder.Build());
        return new ValueTask<long>(_batches.Count);
    }

    public ValueTask TrimAsync(long offset, CancellationToken token)
    {
        _batches.RemoveRange(0, (int)offset);
        return default;
    }

    public async IAsyncEnumerable<LoadedRecords> ReadAsync(
        long offset, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
    {
        var read = new List<EncodedRecord>();
        await Task.Yield();
        foreach (var bytes in _batches)
        {
            foreach (var batch in RecordBatch.Split(bytes))
            {
                read.Clear();
                foreach (var record in batch.ReadRecords(int.MaxValue))
                {
                    read.Add(new EncodedRecord(record.Key!.Value, record.Value));
                }

                yield return new LoadedRecords(read, offset, ++offset);
            }
        }
    }
}
