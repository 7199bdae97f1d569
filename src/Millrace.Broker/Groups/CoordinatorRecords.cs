using Millrace.Coordination.Shards;
using Millrace.Protocol.Records;
using Millrace.Streams;

namespace Millrace.Broker.Groups;

/// <summary>What stands in a coordinator's partition, batch by batch.</summary>
internal static class CoordinatorRecords
{
    /// <summary>The parts of what was read; a list is filled anew for each.</summary>
    public static IEnumerable<LoadedRecords> In(StreamRead read, List<EncodedRecord> list)
    {
        foreach (var stored in read.Records)
        {
            foreach (var batch in RecordBatch.Split(stored.Payload))
            {
                list.Clear();
                if (!batch.Header.IsControl)
                {
                    foreach (var record in batch.ReadRecords(maxDecompressedBytes: int.MaxValue))
                    {
                        // Keys name what a record is about; one without says nothing.
                        if (record.Key is { } key)
                        {
                            list.Add(new EncodedRecord(key, record.Value));
                        }
                    }
                }

                yield return new LoadedRecords(list, batch.Header.BaseOffset, batch.Header.BaseOffset + batch.Header.LastOffsetDelta + 1);
            }
        }
    }
}
