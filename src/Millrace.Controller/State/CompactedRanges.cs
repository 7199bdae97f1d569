using System.Buffers;
using Millrace.Metadata;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.State;

/// <summary>The ranges of a compaction in its record.</summary>
/// <remarks>Each, in varints: the distance of its stream's id from that of the one before, its start offset, the range (<see cref="RangeState"/>).</remarks>
internal static class CompactedRanges
{
    public static ReadOnlyMemory<byte> Pack(IEnumerable<(StreamId Stream, RangeState Range)> ranges)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        var (former, timestamp) = (0L, 0L);
        foreach (var (stream, range) in ranges)
        {
            writer.WriteVarlong(stream.Value - former);
            writer.WriteVarlong(range.StartOffset);
            range.Pack(ref writer, ref timestamp);
            former = stream.Value;
        }

        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    /// <exception cref="ProtocolException">The bytes are malformed.</exception>
    public static IReadOnlyList<(StreamId Stream, RangeState Range)> Read(ObjectCompactedRecord record)
    {
        var ranges = new List<(StreamId, RangeState)>();
        var reader = new KafkaReader(record.Ranges);
        var (stream, timestamp) = (0L, 0L);
        while (reader.Remaining > 0)
        {
            stream += reader.ReadVarlong();
            var start = reader.ReadVarlong();
            ranges.Add((new StreamId(stream), RangeState.Unpack(ref reader, new ObjectId(record.ObjectId), start, ref timestamp)));
        }

        return ranges;
    }
}
