using System.Buffers;

namespace Millrace.ObjectStorage;

/// <summary>What one create writes: a put id of its own, and the bytes that carry it. Never changed until the create is settled.</summary>
internal sealed record LogBody(Guid PutId, ReadOnlySequence<byte> Bytes)
{
    public static LogBody Entry(LogPlace place, Guid putId, Guid after, long confirmed, in ReadOnlySequence<byte> payload) =>
        new(putId, Join(LogObjectFormat.WriteHeader(isSeal: false, place, putId, after, confirmed, payload), payload));

    public static LogBody Seal(LogPlace place, Guid putId, Guid after, in ReadOnlySequence<byte> payload) =>
        new(putId, Join(LogObjectFormat.WriteHeader(isSeal: true, place, putId, after, confirmed: -1, payload), payload));

    public static LogBody Marker(LogPlace boundary, Guid putId) =>
        new(putId, new ReadOnlySequence<byte>(LogMarkerFormat.Write(boundary, putId)));

    // The payload goes to the store from where it lies.
    private static ReadOnlySequence<byte> Join(byte[] header, in ReadOnlySequence<byte> payload)
    {
        var first = new Segment(header, 0);
        var last = first;
        foreach (var piece in payload)
        {
            last = last.Append(piece);
        }

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
