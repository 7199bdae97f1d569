using System.Buffers;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.State;

/// <summary>Some ranges that follow one another in a stream, in about a dozen bytes each. Immutable.</summary>
/// <remarks>
/// Each is the distance of its object's id from that of the one before, as a varint, and the range itself (<see cref="RangeState"/>). Reading one means
/// reading those before it, and adding one copies the others, so there are few in one piece.
/// </remarks>
internal sealed class PackedRanges
{
    /// <summary>How many ranges one piece has at most.</summary>
    public const int Most = 64;

    // More than one ever takes: six varints.
    private const int LargestRange = 64;

    private readonly ObjectId _lastObject;
    private readonly long _lastTimestamp;

    private PackedRanges(long startOffset, long endOffset, int count, byte[] bytes, ObjectId lastObject, long lastTimestamp)
    {
        (StartOffset, EndOffset, Count, Bytes) = (startOffset, endOffset, count, bytes);
        (_lastObject, _lastTimestamp) = (lastObject, lastTimestamp);
    }

    public long StartOffset { get; }

    public long EndOffset { get; }

    public int Count { get; }

    public ReadOnlyMemory<byte> Bytes { get; }

    public static PackedRanges Of(RangeState range) => Of([range]);

    /// <summary>Those that follow one another, at least one and at most <see cref="Most"/>.</summary>
    public static PackedRanges Of(IReadOnlyList<RangeState> ranges) =>
        new PackedRanges(ranges[0].StartOffset, ranges[0].StartOffset, 0, [], default, 0).With(ranges);

    /// <summary>Takes over what <see cref="Bytes"/> gave.</summary>
    /// <param name="startOffset">Where the first of them begins.</param>
    /// <param name="bytes">Copied.</param>
    /// <param name="visit">Is shown each.</param>
    /// <exception cref="ProtocolException">The bytes are malformed.</exception>
    public static PackedRanges Read(long startOffset, ReadOnlyMemory<byte> bytes, Action<RangeState> visit)
    {
        var (count, last) = (0, default(RangeState));
        var reader = new Reader(startOffset, bytes);
        while (reader.TryRead(out var range))
        {
            Invariant.Check(range.EndOffset >= range.StartOffset);
            visit(range);
            last = range;
            count++;
        }

        Invariant.Check(count is > 0 and <= Most);
        return new PackedRanges(startOffset, last.EndOffset, count, bytes.ToArray(), last.Object, last.MaxTimestamp);
    }

    /// <summary>These and the one that follows.</summary>
    public PackedRanges With(RangeState range) => With([range]);

    public IEnumerable<RangeState> Unpack()
    {
        var ranges = new RangeState[Count];
        var reader = new Reader(StartOffset, Bytes);
        for (var i = 0; i < ranges.Length; i++)
        {
            Invariant.Check(reader.TryRead(out ranges[i]));
        }

        return ranges;
    }

    private PackedRanges With(IReadOnlyList<RangeState> ranges)
    {
        Invariant.Check(Count + ranges.Count <= Most);
        var output = new ArrayBufferWriter<byte>(Bytes.Length + ranges.Count * LargestRange);
        output.Write(Bytes.Span);
        var writer = new KafkaWriter(output);
        var (end, last, timestamp) = (EndOffset, _lastObject, _lastTimestamp);
        foreach (var range in ranges)
        {
            Invariant.Check(range.StartOffset == end);
            writer.WriteVarlong(range.Object.Value - last.Value);
            range.Pack(ref writer, ref timestamp);
            (end, last) = (range.EndOffset, range.Object);
        }

        writer.Flush();
        return new PackedRanges(StartOffset, end, Count + ranges.Count, output.WrittenSpan.ToArray(), last, timestamp);
    }

    private ref struct Reader(long startOffset, ReadOnlyMemory<byte> bytes)
    {
        private KafkaReader _bytes = new(bytes);
        private long _offset = startOffset;
        private long _object;
        private long _timestamp;

        public bool TryRead(out RangeState range)
        {
            if (_bytes.Remaining == 0)
            {
                range = default;
                return false;
            }

            _object += _bytes.ReadVarlong();
            range = RangeState.Unpack(ref _bytes, new ObjectId(_object), _offset, ref _timestamp);
            _offset = range.EndOffset;
            return true;
        }
    }
}
