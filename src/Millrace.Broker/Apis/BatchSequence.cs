using System.Buffers;
using Millrace.Streams;

namespace Millrace.Broker.Apis;

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

        var first = new Segment(records[0].Payload, 0);
        var last = first;
        for (var i = 1; i < records.Count; i++)
        {
            last = last.Append(records[i].Payload);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index)
        {
            Memory = memory;
            RunningIndex = index;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
