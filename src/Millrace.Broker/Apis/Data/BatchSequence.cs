using System.Buffers;
using Millrace.Runtime.Buffers;
using Millrace.Streams;

namespace Millrace.Broker.Apis.Data;

/// <summary>Batches that lie in several places, as one piece for the response: nothing is copied.</summary>
internal static class BatchSequence
{
    public static ReadOnlySequence<byte> Of(StreamRead? read)
    {
        if (read is null || read.Records.Count == 0)
        {
            return ReadOnlySequence<byte>.Empty;
        }

        var records = read.Records;
        if (records.Count == 1)
        {
            return new ReadOnlySequence<byte>(records[0].Payload);
        }

        var joined = new JoinedMemory();
        for (var i = 0; i < records.Count; i++)
        {
            joined.Add(records[i].Payload);
        }

        return joined.ToSequence();
    }
}
